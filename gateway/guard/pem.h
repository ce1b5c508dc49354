/* SPDX-License-Identifier: Apache-2.0 */
/* The files of a certificate and its key, and whether they have changed. */
#ifndef GATEWAY_PEM_H
#define GATEWAY_PEM_H

#include <stdbool.h>
#include <stdint.h>

struct pem_stamp { /* which file it is, and in which state; all 0: none */
    uint64_t dev, ino, size;
    int64_t s, ns;
};

struct pem {          /* begins as zeros */
    char *cert, *key; /* PEM text; NULL: not read, or none */
    char *cert_path, *key_path;
    struct pem_stamp tried[2], seen[2];
};

/** pem_read(p, cert, key): both files, or neither ("" twice: nothing is read). PC_EUSAGE, PC_ELIMIT, -errno, with a message. Remembers which files they were. */
int pem_read(struct pem *p, const char *cert, const char *key);
/** pem_changed(p): are there other files than pem_read met, the same ones as at the last call? So what is half written is let be. */
bool pem_changed(struct pem *p);
/** pem_wipe(p): the texts go, the rest stays. */
void pem_wipe(struct pem *p);
void pem_free(struct pem *p);

#endif
