/* SPDX-License-Identifier: Apache-2.0 */
/* Error codes, their texts, and the message that says what failed, why, and what to do. */
#ifndef PCLOUD_ERR_H
#define PCLOUD_ERR_H

#include <errno.h>

/*
 * One convention everywhere: a function returns 0 or a positive result on success and a negative
 * code on failure. System errors are -errno; the codes below are ours. Three edges translate them
 * and nobody else: fs/errmap.c (errno), gateway/s3/error.c (S3 codes), cli/out.c (exit codes).
 */
#define PC_ERROR_TABLE(X)                                                                          \
    X(PC_ECORRUPT, -1000, "stored data is damaged")                                                \
    X(PC_EPASSPHRASE, -1001, "the passphrase is wrong")                                            \
    X(PC_EVERSION, -1002, "made by another version")                                               \
    X(PC_EHOMEEXISTS, -1003, "there is a home already")                                            \
    X(PC_ENOHOME, -1004, "there is no home here")                                                  \
    X(PC_ERUNNING, -1005, "already running")                                                       \
    X(PC_EFORMAT, -1006, "malformed input")                                                        \
    X(PC_ELIMIT, -1007, "over a limit")                                                            \
    X(PC_EWORDS, -1008, "the words are not a valid recovery phrase")                               \
    X(PC_EUSAGE, -1009, "wrong usage")                                                             \
    X(PC_ENOBUCKET, -1010, "no such bucket")                                                       \
    X(PC_EBUCKETEXISTS, -1011, "the bucket exists already")                                        \
    X(PC_EBUCKETNAME, -1012, "not a legal bucket name")                                            \
    X(PC_ENOTEMPTY_BUCKET, -1013, "the bucket is not empty")                                       \
    X(PC_ENOUPLOAD, -1014, "no such upload")                                                       \
    X(PC_EPART, -1015, "a part is missing or differs")                                             \
    X(PC_EPARTORDER, -1016, "parts are not in ascending order")                                    \
    X(PC_EPARTSIZE, -1017, "a part is too small")                                                  \
    X(PC_EPRECONDITION, -1018, "a precondition does not hold")                                     \
    X(PC_EDIGEST, -1019, "content does not match its digest")                                      \
    X(PC_ENOUSER, -1020, "no such user or key")                                                    \
    X(PC_EUSEREXISTS, -1021, "the user or key exists already")                                     \
    X(PC_ECANCELED, -1022, "cancelled")                                                            \
    X(PC_ESTALEREF, -1023, "a block moved or went away; read its place again")                     \
    X(PC_EUNRECOVERABLE, -1024, "too few shards are left to rebuild")                              \
    X(PC_EOTHEROWNER, -1025, "belongs to another user")                                            \
    X(PC_ENOVERSION, -1030, "no such version")                                                     \
    X(PC_EMARKER, -1031, "a delete marker")                                                        \
    X(PC_ELOCKED, -1032, "locked until later, or on hold")                                         \
    X(PC_EBUCKETSTATE, -1033, "not in this state of the bucket")

#define PC_ERROR_ENUM(name, value, text) name = (value),
enum pc_error { PC_ERROR_TABLE(PC_ERROR_ENUM) };
#undef PC_ERROR_ENUM

/** pc_strerror(code): the fixed text of a negative code (ours or -errno). Never NULL; valid for ever. Any thread. */
const char *pc_strerror(int code);

/** pc_err_name(code): the symbolic name ("PC_ECORRUPT", "ENOSPC"); "E?" if unknown. */
const char *pc_err_name(int code);

/**
 * pc_err_set(code, fmt, ...): keep the message for this thread: object, cause, next step. At most 511 bytes are kept.
 * Returns ${code}, so that `return pc_err_set(-EIO, "pack %s: ...", name);` is the usual form.
 */
int pc_err_set(int code, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/** pc_err_wrap(code, fmt, ...): put a prefix before the kept message (or before pc_strerror(${code})); returns ${code}. */
int pc_err_wrap(int code, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/** pc_err_text(code): this thread's message if it was set for ${code}, else pc_strerror(${code}). Valid until the next set. */
const char *pc_err_text(int code);

#endif
