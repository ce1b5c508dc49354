# SPDX-License-Identifier: Apache-2.0
# Probes for the warning, mode and hardening flags; each is used only where the compiler takes it.

# PC_TRY_FLAG(VARIABLE, FLAG): append FLAG to VARIABLE if compiling and linking with it is silent.
AC_DEFUN([PC_TRY_FLAG], [
  AS_VAR_PUSHDEF([pc_cache], [pc_cv_flag_$2])
  AC_CACHE_CHECK([whether $CC takes $2], [pc_cache], [
    pc_saved_CFLAGS=$CFLAGS
    CFLAGS="$CFLAGS -Werror $2"
    AC_LINK_IFELSE([AC_LANG_PROGRAM([[#include <string.h>]], [[char b[8]; memset(b, 0, sizeof b); return b[0];]])],
                   [AS_VAR_SET([pc_cache], [yes])], [AS_VAR_SET([pc_cache], [no])])
    CFLAGS=$pc_saved_CFLAGS
  ])
  AS_VAR_IF([pc_cache], [yes], [$1="$$1 $2"])
  AS_VAR_POPDEF([pc_cache])
])

AC_DEFUN([PC_WARNING_FLAGS], [
  WARN_CFLAGS=
  m4_foreach_w([pc_flag], [-Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes
    -Wmissing-prototypes -Wformat=2 -Wimplicit-fallthrough -Wundef -Wvla -Wpointer-arith
    -Wwrite-strings -fno-common],
    [PC_TRY_FLAG([WARN_CFLAGS], pc_flag)])
  AS_IF([test "x$enable_werror" != xno], [WARN_CFLAGS="$WARN_CFLAGS -Werror"])
  AC_SUBST([WARN_CFLAGS])
])

# Sanitizers, coverage and fuzzing change how everything is compiled and linked.
AC_DEFUN([PC_MODE_FLAGS], [
  MODE_CFLAGS=
  pc_harden=yes
  AS_IF([test "x$enable_sanitize" != xno && test "x$enable_tsan" != xno],
        [AC_MSG_ERROR([--enable-sanitize and --enable-tsan exclude each other])])
  AS_IF([test "x$enable_sanitize" != xno],
        [MODE_CFLAGS="-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer"
         pc_harden=no])
  AS_IF([test "x$enable_tsan" != xno],
        [MODE_CFLAGS="-fsanitize=thread -fno-omit-frame-pointer"; pc_harden=no])
  AS_IF([test "x$enable_coverage" != xno],
        [MODE_CFLAGS="$MODE_CFLAGS --coverage -fprofile-update=atomic -O0"; pc_harden=no])
  AS_IF([test "x$enable_fuzz" != xno && test "x$with_fuzzer" = x-fsanitize=fuzzer],
        [MODE_CFLAGS="$MODE_CFLAGS -fsanitize=fuzzer-no-link"; pc_harden=no])
  AS_IF([test -n "$MODE_CFLAGS"], [
    pc_saved_CFLAGS=$CFLAGS
    CFLAGS="$CFLAGS $MODE_CFLAGS"
    AC_MSG_CHECKING([whether $CC takes $MODE_CFLAGS])
    AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])], [AC_MSG_RESULT([yes])],
      [AC_MSG_RESULT([no])
       AC_MSG_ERROR([$CC cannot build this mode; drop the --enable option or take another compiler])])
    CFLAGS=$pc_saved_CFLAGS
  ])
  AC_SUBST([MODE_CFLAGS])
])

AC_DEFUN([PC_HARDENING_FLAGS], [
  HARDEN_CFLAGS=
  HARDEN_LDFLAGS=
  AS_IF([test "x$pc_harden" = xyes], [
    PC_TRY_FLAG([HARDEN_CFLAGS], [-fstack-protector-strong])
    PC_TRY_FLAG([HARDEN_CFLAGS], [-fcf-protection])
    PC_TRY_FLAG([HARDEN_CFLAGS], [-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2])
    PC_TRY_FLAG([HARDEN_LDFLAGS], [-Wl,-z,relro,-z,now])
  ])
  PC_TRY_FLAG([HARDEN_CFLAGS], [-fPIE])
  PC_TRY_FLAG([HARDEN_LDFLAGS], [-pie])
  AC_SUBST([HARDEN_CFLAGS])
  AC_SUBST([HARDEN_LDFLAGS])
])
