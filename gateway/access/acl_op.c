/* SPDX-License-Identifier: Apache-2.0 */
/* Getting and setting access control lists. */
#include "access/access.h"

#include "access/authz.h"
#include "history/history.h"
#include "pcloud/err.h"
#include "s3/ops.h"
#include "s3/s3.h"

#include <stdlib.h>
#include <string.h>

#define XSI " xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type="

static void add_user(struct s3 *s, const char *id)
{
    struct buf *b = &s->r->reply_body;
    struct pc_user u;

    access_user(s, id, &u);
    xml_str(b, "ID", u.id);
    if (*u.name)
        xml_str(b, "DisplayName", u.name);
}

static void add_grant(struct s3 *s, const struct acl_grant *g)
{
    struct buf *b = &s->r->reply_body;
    const char *uri = acl_uri(g->grantee);

    buf_fmt(b, "<Grant><Grantee" XSI "\"%s\">", uri ? "Group" : "CanonicalUser");
    if (uri)
        xml_str(b, "URI", uri);
    else
        add_user(s, g->grantee);
    buf_str(b, "</Grantee>");
    xml_str(b, "Permission", acl_permission_name(g->permission));
    buf_str(b, "</Grant>");
}

/* Groups come first. */
static int reply_list(struct s3 *s, const char *list)
{
    struct buf *b = &s->r->reply_body;
    char owner[ACL_ID_MAX];
    struct acl_grant g;
    int rc = acl_owner(list, owner);

    if (rc < 0)
        return PC_ECORRUPT;
    xml_begin(b, "AccessControlPolicy");
    buf_str(b, "<Owner>");
    add_user(s, owner);
    buf_str(b, "</Owner><AccessControlList>");
    for (int groups = 1; groups >= 0; groups--)
        for (size_t pos = 0; acl_next(list, &pos, &g);)
            if (!acl_uri(g.grantee) == !groups)
                add_grant(s, &g);
    buf_str(b, "</AccessControlList>");
    xml_close(b, "AccessControlPolicy");
    return s3_reply_xml(s);
}

int op_get_bucket_acl(struct s3 *s)
{
    enum ownership ownership;
    const char *list;
    int rc = access_ownership(s, &s->access, &ownership);

    if (rc == 0)
        rc = access_acl(s, &s->access, &list);
    if (rc < 0)
        return rc;
    return reply_list(s, list && ownership != OWNERSHIP_ENFORCED ? list : ACL_PRIVATE);
}

/* The list that headers or body ask for. */
static int read_list(struct s3 *s, enum acl_thing thing, const char *owner, struct buf *out)
{
    enum ownership ownership;
    int rc = access_ownership(s, &s->access, &ownership);

    if (rc == 0 && ownership == OWNERSHIP_ENFORCED)
        rc = S3_EACLUNSUPPORTED;
    if (rc == 0)
        rc = access_wish(s, thing, owner, out);
    if (rc == 0 && out->len && s->xml.len)
        rc = S3_EUNEXPECTED;
    if (rc == 0 && out->len == 0)
        rc = s->xml.len ? access_body(s, owner, out) : (int)S3_EMISSINGHEADER;
    if (rc == 0)
        rc = out->err == PC_ELIMIT ? (int)S3_EARGUMENT : out->err;
    return rc < 0 ? rc : access_may_set(s, out->data);
}

int op_put_bucket_acl(struct s3 *s)
{
    struct buf list;
    bool private;
    int rc;

    buf_init(&list, ACL_TEXT_MAX);
    rc = read_list(s, ACL_OF_BUCKET, ".", &list);
    private = rc == 0 && strcmp(list.data, ACL_PRIVATE) == 0;
    if (rc == 0)
        rc = pc_bucket_setting_set(s->gw->volume, s->bucket, PC_SETTING_ACL,
                                   private ? NULL : list.data, private ? 0 : list.len);
    buf_fini(&list);
    if (rc == 0)
        s->r->status = 200;
    return rc;
}

/* The list of the object of the request, which who asks may see or set; to be freed. */
static int find_list(struct s3 *s, char **ret)
{
    enum ownership ownership;
    const char *list;
    struct pc_object o;
    int rc = history_head(s, &o);

    if (rc < 0)
        return authz_missing(s, rc);
    rc = authz_object(s, &o);
    if (rc == 0)
        rc = access_ownership(s, &s->access, &ownership);
    if (rc == 0) {
        list = pc_headers_get(&o.headers, "acl");
        *ret = strdup(list && ownership != OWNERSHIP_ENFORCED ? list : ACL_PRIVATE);
        rc = *ret ? 0 : -ENOMEM;
    }
    pc_object_fini(&o);
    return rc;
}

int op_get_object_acl(struct s3 *s)
{
    char *list;
    int rc = find_list(s, &list);

    if (rc < 0)
        return rc;
    rc = reply_list(s, list);
    free(list);
    return rc;
}

static int set_list(struct s3 *s, const char *list)
{
    struct buf packed;
    struct pc_headers h;
    int rc;

    buf_init(&packed, PC_META_MAX);
    headers_add(&packed, "acl", strcmp(list, ACL_PRIVATE) == 0 ? "" : list);
    h = (struct pc_headers){packed.data, packed.len};
    rc = packed.err;
    if (rc == 0)
        rc = history_annotate(s, &h);
    buf_fini(&packed);
    return rc;
}

int op_put_object_acl(struct s3 *s)
{
    char owner[ACL_ID_MAX], *now;
    struct buf list;
    int rc = find_list(s, &now);

    if (rc < 0)
        return rc;
    buf_init(&list, ACL_TEXT_MAX);
    rc = acl_owner(now, owner) < 0 ? PC_ECORRUPT : read_list(s, ACL_OF_OBJECT, owner, &list);
    if (rc == 0)
        rc = set_list(s, list.data);
    buf_fini(&list);
    free(now);
    if (rc == 0)
        s->r->status = 200;
    return rc;
}
