/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this folder share: a policy as it was read. */
#ifndef GATEWAY_POLICY_PRIV_H
#define GATEWAY_POLICY_PRIV_H

#include "policy/policy.h"

#include <stdint.h>
#include <time.h>

struct list { /* of owned strings */
    char **items;
    size_t count;
};

enum principal_kind {
    PRINCIPAL_ANY,   /* everybody, anonymous requests too */
    PRINCIPAL_USER,  /* by name or canonical id */
    PRINCIPAL_NEVER, /* a service, a role, a federation: nobody here */
};

struct principal {
    enum principal_kind kind;
    char *text; /* owned; NULL unless a user's */
};

enum sense { SENSE_MATCH, SENSE_NOT }; /* Action or NotAction, and so on */

enum op_type { OP_STRING, OP_FOLDED, OP_LIKE, OP_NUMBER, OP_DATE, OP_BOOL, OP_IP, OP_ARN, OP_NULL };
enum op_order { ORDER_EQ, ORDER_LT, ORDER_LE, ORDER_GT, ORDER_GE };

struct op {
    const char *name;
    enum op_type type;
    enum op_order order;
    enum sense sense;
};

enum set_kind { SET_NONE, SET_ANY_VALUE, SET_ALL_VALUES };
enum missing { MISSING_COUNTS, MISSING_PASSES /* …IfExists */ };

struct condition {
    const struct op *op;
    enum set_kind set;
    enum missing missing;
    char *key; /* lower case up to "/" */
    struct list values;
};

struct statement {
    enum policy_effect effect;
    enum sense principal, action, resource;
    struct principal *principals;
    size_t principal_count;
    struct list actions, resources;
    struct condition *conditions;
    size_t condition_count;
};

struct policy {
    bool variables; /* version 2012-10-17 */
    struct statement *statements;
    size_t count;
};

/* names.c */
/** name_is_action(pattern): does the pattern ("s3:Get*", "*") fit an action that exists? */
bool name_is_action(const char *pattern);
/** name_is_key(key): lower case up to "/". */
bool name_is_key(const char *key);
/** name_lower(key): in place, up to "/". */
void name_lower(char *key);

/* pattern.c */
#define PATTERN_ANY 0xff /* no byte of UTF-8 */
#define PATTERN_ONE 0xfe
struct pattern {
    unsigned char data[POLICY_PATTERN_MAX];
    size_t len;
};
enum pattern_result {
    PATTERN_OK,
    PATTERN_NEVER,  /* a variable has no value: fits nothing */
    PATTERN_BROKEN, /* too long to be held against anything */
};
enum wild { WILD_LITERAL, WILD_CARDS };
/** pattern_make(p, r, text, len, wild, out): with the variables of ${r} in place; their values have no wildcards. ${r} NULL: without. */
enum pattern_result pattern_make(const struct policy *p, const struct policy_request *r,
                                 const char *text, size_t len, enum wild wild, struct pattern *out);
bool pattern_fits(const unsigned char *pattern, size_t pattern_len, const char *text, size_t len);
/** pattern_check(text): are its variables closed and of keys that exist? */
bool pattern_check(const char *text);

/* value.c */
/** value_number(text, len, ret), value_date, value_range: false if it is none. */
bool value_number(const char *text, size_t len, double *ret);
bool value_date(const char *text, size_t len, double *ret);
struct range { /* of addresses; IPv4 as ::ffff:a.b.c.d */
    uint8_t bytes[16];
    unsigned bits;
};
bool value_range(const char *text, size_t len, struct range *ret);
bool range_holds(const struct range *range, const struct range *address);

/* condition.c */
/** condition_op(name, ret): fills op, set and missing; false if there is no such operator. */
bool condition_op(const char *name, struct condition *ret);
/** condition_value_ok(c, value): can the operator take it? */
bool condition_value_ok(const struct condition *c, const char *value);
enum holds { HOLDS_NOT, HOLDS, HOLDS_UNKNOWN };
enum holds condition_holds(const struct policy *p, const struct condition *c,
                           const struct policy_request *r);

#endif
