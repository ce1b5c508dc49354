/* SPDX-License-Identifier: Apache-2.0 */
/* The options of pcloud-gateway, declared once: parsing, --help and the manual page come from the table. */
#ifndef GATEWAY_OPTS_H
#define GATEWAY_OPTS_H

/* X(field, long name, argument or NULL, prose) */
#define OPTS_TABLE(X)                                                                              \
    X(home, "home", "DIR", "The home to serve (default: $PCLOUD_HOME, else as pcloud(1) says).")   \
    X(s3, "s3", "ADDR:PORT", "Where S3 is served; port 0 takes a free one (s3.listen).")           \
    X(web, "web", "ADDR:PORT", "Where status pages are served; \"off\" for none (web.listen).")    \
    X(tls_cert, "tls-cert", "FILE",                                                                \
      "Certificate chain (PEM): S3 is served by HTTPS (s3.tls_cert).")                             \
    X(tls_key, "tls-key", "FILE", "Private key (PEM) of the certificate (s3.tls_key).")            \
    X(region, "region", "NAME", "Region that clients must sign for (s3.region).")                  \
    X(domain, "domain", "NAME", "Domain of bucket.NAME addressing (s3.domain).")                   \
    X(name, "name", "NAME",                                                                        \
      "One more gateway of the same home, by that name: its state is run/gateway-NAME.json.")      \
    X(passphrase_file, "passphrase-file", "FILE", "Read the passphrase from FILE.")                \
    X(help, "help", NULL, "Print this help and exit.")                                             \
    X(version, "version", NULL, "Print the version and exit.")                                     \
    X(print_man, "print-man", NULL, "Print the manual page and exit.")

struct opts { /* NULL: not given */
#define OPTS_FIELD(field, name, arg, prose) const char *field;
    OPTS_TABLE(OPTS_FIELD)
#undef OPTS_FIELD
};

/** opts_parse(argc, argv, ret): PC_EUSAGE with a message. */
int opts_parse(int argc, char **argv, struct opts *ret);
void opts_print_help(void);
void opts_print_man(void);

#endif
