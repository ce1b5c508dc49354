/* SPDX-License-Identifier: Apache-2.0 */
/* `pcloud env`: what S3 tools and shells need to know. */
#include "out.h"
#include "pcloud/user.h"
#include "run/probe.h"
#include "run/status.h"
#include "users.h"
#include "verbs.h"

#include <stdio.h>
#include <string.h>

struct env {
    char mount[CLI_LINE_MAX];
    char host[300]; /* as a client reaches it */
    char url[320];
    const char *region;
    bool tls;
    struct pc_access_key key; /* wiped */
};

static int gather(struct cli *c, struct env *e)
{
    struct status s;
    const char *address;
    int err = cli_open_volume(c);

    if (err >= 0)
        err = users_pick_key(c->volume, cli_value(c, "user"), &e->key);
    if (err >= 0)
        err = status_get(c, false, &s);
    if (err < 0)
        return err;
    address = s.parts[PART_GATEWAY].where;
    if (!*address)
        address = pc_config_str(c->config, PC_CONFIG_S3_LISTEN);
    err = probe_connect_address(address, e->host, sizeof e->host);
    if (err < 0)
        return err;
    status_url(&s, address, e->url, sizeof e->url);
    snprintf(e->mount, sizeof e->mount, "%s", s.parts[PART_MOUNT].where);
    e->region = pc_config_str(c->config, PC_CONFIG_S3_REGION);
    e->tls = s.tls;
    return 0;
}

static void print_export(const char *name, const char *value)
{
    printf("export %s=", name);
    out_quote(value, stdout);
    putchar('\n');
}

static void print_s3cfg(const struct env *e)
{
    const char *yes_no = e->tls ? "True" : "False";

    printf("[default]\naccess_key = %s\nsecret_key = %s\nhost_base = %s\nhost_bucket = "
           "%s\nbucket_location = %s\n"
           "use_https = %s\nsignurl_use_https = %s\nsignature_v2 = False\n"
           "check_ssl_certificate = %s\n",
           e->key.access_key, e->key.secret_key, e->host, e->host, e->region, yes_no, yes_no,
           yes_no);
}

static void print_rclone(const struct env *e)
{
    printf("[pcloud]\ntype = s3\nprovider = Other\naccess_key_id = %s\nsecret_access_key = "
           "%s\nregion = %s\n"
           "endpoint = %s\nforce_path_style = true\n",
           e->key.access_key, e->key.secret_key, e->region, e->url);
}

static int print_json(const struct env *e)
{
    return out_json(json_pack("{s:o, s:s, s:s, s:s, s:s}", "PCLOUD_MOUNT", out_json_text(e->mount),
                              "AWS_ENDPOINT_URL", e->url, "AWS_ACCESS_KEY_ID", e->key.access_key,
                              "AWS_SECRET_ACCESS_KEY", e->key.secret_key, "AWS_DEFAULT_REGION",
                              e->region));
}

int verb_env(struct cli *c)
{
    struct env e = {0};
    int err;

    if (cli_has(c, "s3cfg") + cli_has(c, "rclone") + cli_has(c, "json") > 1)
        return pc_err_set(PC_EUSAGE, "--s3cfg, --rclone and --json exclude each other");
    err = gather(c, &e);
    if (err < 0)
        goto wipe;
    if (cli_has(c, "s3cfg")) {
        print_s3cfg(&e);
    } else if (cli_has(c, "rclone")) {
        print_rclone(&e);
    } else if (cli_has(c, "json")) {
        err = print_json(&e);
    } else {
        print_export("PCLOUD_MOUNT", e.mount);
        print_export("AWS_ENDPOINT_URL", e.url);
        print_export("AWS_ACCESS_KEY_ID", e.key.access_key);
        print_export("AWS_SECRET_ACCESS_KEY", e.key.secret_key);
        print_export("AWS_DEFAULT_REGION", e.region);
    }
wipe:
    pc_wipe(&e, sizeof e);
    return err;
}
