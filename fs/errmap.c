/* SPDX-License-Identifier: Apache-2.0 */
/* The one table from codes of pcloud to errno values. */
#include "errmap.h"

#include "pcloud/err.h"

#include <stddef.h>

static const struct {
    int code;
    int error;
} table[] = {
    {PC_ECORRUPT, EIO},         {PC_EPASSPHRASE, EACCES},
    {PC_EVERSION, EIO},         {PC_EHOMEEXISTS, EEXIST},
    {PC_ENOHOME, ENOENT},       {PC_ERUNNING, EBUSY},
    {PC_EFORMAT, EINVAL},       {PC_ELIMIT, EFBIG},
    {PC_EWORDS, EINVAL},        {PC_EUSAGE, EINVAL},
    {PC_ENOBUCKET, ENOENT},     {PC_EBUCKETEXISTS, EEXIST},
    {PC_EBUCKETNAME, EINVAL},   {PC_ENOTEMPTY_BUCKET, ENOTEMPTY},
    {PC_ENOUPLOAD, ENOENT},     {PC_EPART, EINVAL},
    {PC_EPARTORDER, EINVAL},    {PC_EPARTSIZE, EINVAL},
    {PC_EPRECONDITION, EAGAIN}, {PC_EDIGEST, EIO},
    {PC_ENOUSER, ENOENT},       {PC_EUSEREXISTS, EEXIST},
    {PC_ECANCELED, EINTR},      {PC_ESTALEREF, EIO},
    {PC_EUNRECOVERABLE, EIO},   {PC_EOTHEROWNER, EPERM},
    {PC_ENOVERSION, ENOENT},    {PC_EMARKER, ENOENT},
    {PC_ELOCKED, EPERM},        {PC_EBUCKETSTATE, EPERM},
};

int errmap(long long code)
{
    if (code >= 0)
        return 0;
    if (code > -1000)
        return (int)-code;
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
        if (table[i].code == code)
            return table[i].error;
    return EIO;
}
