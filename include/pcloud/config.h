/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration: every key declared once, with its type, default, bounds and prose. */
#ifndef PCLOUD_CONFIG_H
#define PCLOUD_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "pcloud/config_gateway.h"
#include "pcloud/home.h"

enum pc_config_type {
    PC_CONFIG_STRING,
    PC_CONFIG_INT,
    PC_CONFIG_SIZE,
    PC_CONFIG_BOOL,
    PC_CONFIG_ENUM
};

/* X(id, key, type, default, min, max, choices, prose). Sizes take K, M, G, T suffixes (powers of 1024). */
#define PC_CONFIG_TABLE(X)                                                                         \
    X(MOUNT_PATH, "mount.path", PC_CONFIG_STRING, "", 0, 4095, "",                                 \
      "Where `pcloud up` mounts; empty: ~/pcloud.")                                                \
    X(MOUNT_OPTIONS, "mount.options", PC_CONFIG_STRING, "", 0, 1023, "",                           \
      "Options for the mount, as after -o.")                                                       \
    X(S3_LISTEN, "s3.listen", PC_CONFIG_STRING, "127.0.0.1:9800", 0, 255, "",                      \
      "Address and port of the S3 endpoint.")                                                      \
    X(WEB_LISTEN, "web.listen", PC_CONFIG_STRING, "127.0.0.1:9880", 0, 255, "",                    \
      "Address and port for web pages.")                                                           \
    X(S3_REGION, "s3.region", PC_CONFIG_STRING, "us-east-1", 1, 63, "",                            \
      "Region name that clients must sign for.")                                                   \
    X(S3_DOMAIN, "s3.domain", PC_CONFIG_STRING, "", 0, 253, "",                                    \
      "Domain for bucket.domain addressing; empty: off.")                                          \
    X(S3_TLS_CERT, "s3.tls_cert", PC_CONFIG_STRING, "", 0, 4095, "",                               \
      "Certificate chain (PEM); empty: plain HTTP.")                                               \
    X(S3_TLS_KEY, "s3.tls_key", PC_CONFIG_STRING, "", 0, 4095, "",                                 \
      "Private key (PEM) of the certificate.")                                                     \
    X(S3_CONNECTIONS, "s3.connections", PC_CONFIG_INT, "1024", 1, 65536, "",                       \
      "Connections served at once.")                                                               \
    X(S3_TIMEOUT, "s3.timeout", PC_CONFIG_INT, "60", 1, 3600, "",                                  \
      "Seconds without a byte before a connection ends.")                                          \
    X(S3_DAY, "s3.lifecycle_day", PC_CONFIG_INT, "86400", 1, 86400, "",                            \
      "Seconds of a day in lifecycle rules; less than 86400 only to try them.")                    \
    X(S3_SIGV2, "s3.signature_v2", PC_CONFIG_ENUM, "url", 0, 0, "off url on",                      \
      "Where the old signature counts: nowhere, in presigned URLs and forms, or in headers too.")  \
    X(S3_KMS_KEYS, "s3.kms_keys", PC_CONFIG_STRING, "*", 0, 4095, "",                              \
      "Names of keys that aws:kms may ask for, with blanks between; *: any.")                      \
    X(S3_SSE_C_HTTP, "s3.sse_c_http", PC_CONFIG_ENUM, "loopback", 0, 0, "loopback off on",         \
      "Whose own keys (SSE-C) are taken over plain HTTP: of this machine, nobody's, everybody's.") \
    X(CACHE_SIZE, "cache.size", PC_CONFIG_SIZE, "16M", 1 << 20, INT64_MAX, "",                     \
      "Memory for decrypted blocks, a part.")                                                      \
    X(WRITE_BUFFER, "write.buffer", PC_CONFIG_SIZE, "32M", 4 << 20, INT64_MAX, "",                 \
      "Unwritten data kept in memory.")                                                            \
    X(WORKERS, "workers", PC_CONFIG_INT, "0", 0, 256, "",                                          \
      "Threads that encrypt; 0: one for each core.")                                               \
    X(DEDUP, "dedup", PC_CONFIG_BOOL, "true", 0, 0, "", "Store equal blocks once.")                \
    X(COMPRESS, "compress", PC_CONFIG_BOOL, "true", 0, 0, "", "Deflate blocks that get smaller.")  \
    X(RESERVE, "reserve", PC_CONFIG_SIZE, "64M", 0, INT64_MAX, "",                                 \
      "Free disk kept back so that deleting still works.")                                         \
    X(GC_INTERVAL, "gc.interval", PC_CONFIG_INT, "3600", 0, 604800, "",                            \
      "Seconds between reclaim runs; 0: off.")                                                     \
    X(GC_RATIO, "gc.ratio", PC_CONFIG_INT, "50", 1, 99, "",                                        \
      "Rewrite packs with less than this percent in use.")                                         \
    X(TRASH_DAYS, "trash.days", PC_CONFIG_INT, "0", 0, 36500, "",                                  \
      "Days that what is removed stays in .trash; 0: it is freed at once.")                        \
    X(LOG_LEVEL, "log.level", PC_CONFIG_ENUM, "info", 0, 0, "error warn info debug",               \
      "What is logged.")                                                                           \
    X(LOG_FORMAT, "log.format", PC_CONFIG_ENUM, "text", 0, 0, "text json", "Form of log lines.")   \
    PC_CONFIG_GATEWAY_TABLE(X)

#define PC_CONFIG_ID(id, key, type, def, min, max, choices, prose) PC_CONFIG_##id,
enum pc_config_id { PC_CONFIG_TABLE(PC_CONFIG_ID) PC_CONFIG_COUNT };
#undef PC_CONFIG_ID

struct pc_config_entry {
    const char *key;
    enum pc_config_type type;
    const char *def;
    int64_t min, max; /* of a number, or of a string's length */
    const char *choices;
    const char *prose;
};

/** pc_config_entry(id): the declaration, borrowed for ever. */
const struct pc_config_entry *pc_config_entry(enum pc_config_id id);

struct pc_config;

/**
 * pc_config_load(home, ret_config): read and check the file ("key = value" lines, # comments); a missing file is all defaults. An
 * unknown key or a bad value is PC_EFORMAT with file, line, key and what is allowed. The caller frees with pc_config_free.
 */
int pc_config_load(struct pc_home *home, struct pc_config **ret_config);
void pc_config_free(struct pc_config *config);

/**
 * pc_config_override(config, id, value): change a value in memory only, as an option of a command line does; before anybody else reads it. PC_EFORMAT (the message
 * says what is allowed), -ENOMEM; nothing changes then.
 */
int pc_config_override(struct pc_config *config, enum pc_config_id id, const char *value);

/** pc_config_find(key): its id, or PC_EUSAGE (message names near keys). */
int pc_config_find(const char *key);

/**
 * pc_config_str/num/bool(config, id): the value in force; strings are borrowed from ${config}. Of any type str is the text as it is
 * written, and num of a word is its place among the choices.
 */
const char *pc_config_str(const struct pc_config *config, enum pc_config_id id);
int64_t pc_config_num(const struct pc_config *config, enum pc_config_id id);
bool pc_config_bool(const struct pc_config *config, enum pc_config_id id);

/** pc_config_is_set(config, id): is it in the file (not the default)? */
bool pc_config_is_set(const struct pc_config *config, enum pc_config_id id);

/**
 * pc_config_set(home, key, value): check, then change the file atomically, keeping comments and order; ${value} NULL removes the key.
 * Nothing changes on failure: PC_EUSAGE (key), PC_EFORMAT (value; the message says what is allowed).
 */
int pc_config_set(struct pc_home *home, const char *key, const char *value);

#endif
