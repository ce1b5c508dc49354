/* SPDX-License-Identifier: Apache-2.0 */
/* The errors of S3: one table of code, status and text, and the one map from our codes to them. */
#include "s3/error.h"

#include "pcloud/err.h"

#include <stddef.h>

static const struct s3_error_entry rows[] = {
#define S3_ERROR_ROW(symbol, code, status, text) {code, status, text},
    S3_ERROR_TABLE(S3_ERROR_ROW)
#undef S3_ERROR_ROW
};

static const struct {
    int code;
    enum s3_error error;
} map[] = {
    {PC_ENOBUCKET, S3_ENOBUCKET},
    {PC_EBUCKETEXISTS, S3_EBUCKETEXISTS},
    {PC_EBUCKETNAME, S3_EBUCKETNAME},
    {PC_ENOTEMPTY_BUCKET, S3_EBUCKETNOTEMPTY},
    {PC_ENOUPLOAD, S3_ENOUPLOAD},
    {PC_EPART, S3_EPART},
    {PC_EPARTORDER, S3_EPARTORDER},
    {PC_EPARTSIZE, S3_ETOOSMALL},
    {PC_EPRECONDITION, S3_EPRECONDITION},
    {PC_EDIGEST, S3_EBADDIGEST},
    {PC_ENOUSER, S3_EACCESSKEY},
    {PC_EOTHEROWNER, S3_EACCESS},
    {PC_ENOVERSION, S3_ENOVERSION},
    {PC_EMARKER, S3_EMETHOD},
    {PC_ELOCKED, S3_EACCESS},
    {PC_EBUCKETSTATE, S3_EBUCKETSTATE},
    {PC_EFORMAT, S3_EURI},
    {PC_ELIMIT, S3_EMESSAGETOOBIG},
    {PC_ECANCELED, S3_EUNAVAILABLE},
    {-ENOENT, S3_ENOKEY},
    {-ENOTDIR, S3_ENOKEY},
    {-ENAMETOOLONG, S3_EKEYTOOLONG},
    {-ENOSPC, S3_EFULL},
    {-EDQUOT, S3_EQUOTA},
    {-EFBIG, S3_ETOOLARGE},
    {-EACCES, S3_EACCESS},
    {-EPERM, S3_EACCESS},
    {-EROFS, S3_EACCESS},
    {-EINVAL, S3_EARGUMENT},
    {-EAGAIN, S3_EBUSY},
    {-EBUSY, S3_EBUSY},
    {-ENOMEM, S3_EBUSY},
};

enum s3_error s3_error_of(int code)
{
    if (code > S3_EFIRST && code < S3_ELAST)
        return (enum s3_error)code;
    for (size_t i = 0; i < sizeof map / sizeof map[0]; i++)
        if (map[i].code == code)
            return map[i].error;
    return S3_EINTERNAL;
}

const struct s3_error_entry *s3_error_entry(int error)
{
    if (error <= S3_EFIRST || error >= S3_ELAST)
        error = S3_EINTERNAL;
    return &rows[error - S3_EFIRST - 1];
}
