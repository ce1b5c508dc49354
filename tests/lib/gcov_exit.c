/* SPDX-License-Identifier: Apache-2.0 */
/* Linked with --wrap=_exit into every program of the coverage build: a process that ends by _exit leaves its counts too. */
extern void __gcov_dump(void); /* libgcov's: write the counts of this process now */
extern void __real__exit(int status) __attribute__((noreturn));
extern void __wrap__exit(int status) __attribute__((noreturn));

void __wrap__exit(int status)
{
    __gcov_dump();
    __real__exit(status);
}
