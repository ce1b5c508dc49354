/* SPDX-License-Identifier: Apache-2.0 */
/* The errors of S3: one table of code, status and text, and the one map from our codes to them. */
#ifndef GATEWAY_S3_ERROR_H
#define GATEWAY_S3_ERROR_H

#define S3_ERROR_TABLE(X)                                                                          \
    X(S3_EACCESS, "AccessDenied", 403, "Access Denied")                                            \
    X(S3_EACLXML, "MalformedACLError", 400,                                                        \
      "The XML you provided was not well-formed or did not validate against our published schema") \
    X(S3_EACLUNSUPPORTED, "AccessControlListNotSupported", 400, "The bucket does not allow ACLs")  \
    X(S3_EAUTHHEADER, "AuthorizationHeaderMalformed", 400,                                         \
      "The authorization header is malformed")                                                     \
    X(S3_EAUTHQUERY, "AuthorizationQueryParametersError", 400,                                     \
      "The authorization query parameters are malformed")                                          \
    X(S3_ECORS, "AccessForbidden", 403, "Forbidden")                                               \
    X(S3_EBADREQUEST, "BadRequest", 400, "Bad Request")                                            \
    X(S3_EBADDIGEST, "BadDigest", 400,                                                             \
      "The Content-MD5 you specified did not match what we received.")                             \
    X(S3_EBUCKETEXISTS, "BucketAlreadyExists", 409,                                                \
      "The requested bucket name is not available. Please select a different name and try again.") \
    X(S3_EBUCKETOWNED, "BucketAlreadyOwnedByYou", 409,                                             \
      "Your previous request to create the named bucket succeeded and you already own it.")        \
    X(S3_EBUCKETACL, "InvalidBucketAclWithObjectOwnership", 400,                                   \
      "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting")            \
    X(S3_EBUCKETNOTEMPTY, "BucketNotEmpty", 409, "The bucket you tried to delete is not empty")    \
    X(S3_EEMAIL, "UnresolvableGrantByEmailAddress", 400,                                           \
      "The e-mail address you provided does not match any account on record.")                     \
    X(S3_ETOOLARGE, "EntityTooLarge", 400,                                                         \
      "Your proposed upload exceeds the maximum allowed size")                                     \
    X(S3_ETOOSMALL, "EntityTooSmall", 400,                                                         \
      "Your proposed upload is smaller than the minimum allowed size")                             \
    X(S3_EINCOMPLETE, "IncompleteBody", 400,                                                       \
      "You did not provide the number of bytes specified by the Content-Length HTTP header")       \
    X(S3_EINTERNAL, "InternalError", 500, "We encountered an internal error. Please try again.")   \
    X(S3_EACCESSKEY, "InvalidAccessKeyId", 403,                                                    \
      "The AWS Access Key Id you provided does not exist in our records.")                         \
    X(S3_EARGUMENT, "InvalidArgument", 400, "Invalid Argument")                                    \
    X(S3_EBUCKETNAME, "InvalidBucketName", 400, "The specified bucket is not valid.")              \
    X(S3_EBUCKETSTATE, "InvalidBucketState", 409,                                                  \
      "The request is not valid with the current state of the bucket.")                            \
    X(S3_ECHUNK, "InvalidChunkSizeError", 400, "The chunked body is malformed")                    \
    X(S3_EINVALIDDIGEST, "InvalidDigest", 400, "The Content-MD5 you specified was invalid.")       \
    X(S3_ELOCATION, "InvalidLocationConstraint", 400,                                              \
      "The specified location-constraint is not valid")                                            \
    X(S3_EPART, "InvalidPart", 400,                                                                \
      "One or more of the specified parts could not be found. The part may not have been "         \
      "uploaded, or the specified entity tag may not match the part's entity tag.")                \
    X(S3_EPARTNUMBER, "InvalidPartNumber", 416, "The requested partnumber is not satisfiable")     \
    X(S3_EPARTORDER, "InvalidPartOrder", 400,                                                      \
      "The list of parts was not in ascending order. Parts must be ordered by part number.")       \
    X(S3_EENCRYPTION, "InvalidEncryptionAlgorithmError", 400, "The value must be AES256.")         \
    X(S3_EFORMPOLICY, "InvalidPolicyDocument", 400,                                                \
      "The content of the form does not meet the conditions specified in the policy document.")    \
    X(S3_ERANGE, "InvalidRange", 416, "The requested range is not satisfiable")                    \
    X(S3_ERETENTION, "InvalidRetentionPeriod", 400, "The retention period is not valid")           \
    X(S3_EREQUEST, "InvalidRequest", 400, "Invalid Request")                                       \
    X(S3_ESTORAGECLASS, "InvalidStorageClass", 400,                                                \
      "The storage class you specified is not valid")                                              \
    X(S3_ETAG, "InvalidTag", 400, "The tag provided was not a valid tag.")                         \
    X(S3_EURI, "InvalidURI", 400, "Couldn't parse the specified URI.")                             \
    X(S3_EKMS, "KMS.NotFoundException", 400, "Invalid keyId")                                      \
    X(S3_EKEYTOOLONG, "KeyTooLongError", 400, "Your key is too long")                              \
    X(S3_EXML, "MalformedXML", 400,                                                                \
      "The XML you provided was not well-formed or did not validate against our published schema") \
    X(S3_ETRAILER, "MalformedTrailerError", 400,                                                   \
      "The request contained trailing data that was not well-formed or did not conform to our "    \
      "published schema.")                                                                         \
    X(S3_EFORM, "MalformedPOSTRequest", 400,                                                       \
      "The body of your POST request is not well-formed multipart/form-data.")                     \
    X(S3_EFIELDS, "MaxPostPreDataLengthExceededError", 400,                                        \
      "Your POST request fields preceding the upload file were too large.")                        \
    X(S3_EMESSAGETOOBIG, "MaxMessageLengthExceeded", 400, "Your request was too big.")             \
    X(S3_EMETATOOLARGE, "MetadataTooLarge", 400,                                                   \
      "Your metadata headers exceed the maximum allowed metadata size")                            \
    X(S3_EMETHOD, "MethodNotAllowed", 405,                                                         \
      "The specified method is not allowed against this resource.")                                \
    X(S3_ENOLENGTH, "MissingContentLength", 411,                                                   \
      "You must provide the Content-Length HTTP header.")                                          \
    X(S3_EMISSINGBODY, "MissingRequestBodyError", 400, "Request body is empty.")                   \
    X(S3_EMISSINGHEADER, "MissingSecurityHeader", 400,                                             \
      "Your request was missing a required header")                                                \
    X(S3_ENOBUCKET, "NoSuchBucket", 404, "The specified bucket does not exist")                    \
    X(S3_ENOBUCKETPOLICY, "NoSuchBucketPolicy", 404, "The bucket policy does not exist")           \
    X(S3_ENOCORS, "NoSuchCORSConfiguration", 404, "The CORS configuration does not exist")         \
    X(S3_ENOKEY, "NoSuchKey", 404, "The specified key does not exist.")                            \
    X(S3_ENOLIFECYCLE, "NoSuchLifecycleConfiguration", 404,                                        \
      "The lifecycle configuration does not exist")                                                \
    X(S3_ENOCONFIGURATION, "NoSuchConfiguration", 404,                                             \
      "The specified configuration does not exist.")                                               \
    X(S3_ENOENCRYPTION, "ServerSideEncryptionConfigurationNotFoundError", 404,                     \
      "The server side encryption configuration was not found")                                    \
    X(S3_ENOOBJECTLOCK, "ObjectLockConfigurationNotFoundError", 404,                               \
      "Object Lock configuration does not exist for this bucket")                                  \
    X(S3_ENOLOCKOFOBJECT, "NoSuchObjectLockConfiguration", 404,                                    \
      "The specified object does not have a ObjectLock configuration")                             \
    X(S3_ENOREPLICATION, "ReplicationConfigurationNotFoundError", 404,                             \
      "The replication configuration was not found")                                               \
    X(S3_ENOTAGS, "NoSuchTagSet", 404, "The TagSet does not exist")                                \
    X(S3_ENOOWNERSHIP, "OwnershipControlsNotFoundError", 404,                                      \
      "The bucket ownership controls were not found")                                              \
    X(S3_ENOPUBLICBLOCK, "NoSuchPublicAccessBlockConfiguration", 404,                              \
      "The public access block configuration was not found")                                       \
    X(S3_ENOUPLOAD, "NoSuchUpload", 404,                                                           \
      "The specified multipart upload does not exist. The upload ID may be invalid, or the "       \
      "upload may have been aborted or completed.")                                                \
    X(S3_ENOVERSION, "NoSuchVersion", 404, "The specified version does not exist.")                \
    X(S3_ENOWEBSITE, "NoSuchWebsiteConfiguration", 404,                                            \
      "The specified bucket does not have a website configuration")                                \
    X(S3_ENOTIMPLEMENTED, "NotImplemented", 501,                                                   \
      "A header or query you provided requested a function that is not implemented.")              \
    X(S3_EPOLICY, "MalformedPolicy", 400, "The policy is not valid")                               \
    X(S3_EPRECONDITION, "PreconditionFailed", 412,                                                 \
      "At least one of the pre-conditions you specified did not hold")                             \
    X(S3_ECONFLICT, "ConditionalRequestConflict", 409,                                             \
      "The conditional request cannot succeed due to a conflicting operation against this "        \
      "resource.")                                                                                 \
    X(S3_ETIMEOUT, "RequestTimeout", 400,                                                          \
      "Your socket connection to the server was not read from or written to within the timeout "   \
      "period.")                                                                                   \
    X(S3_ESKEW, "RequestTimeTooSkewed", 403,                                                       \
      "The difference between the request time and the current time is too large.")                \
    X(S3_ESIGNATURE, "SignatureDoesNotMatch", 403,                                                 \
      "The request signature we calculated does not match the signature you provided. Check your " \
      "key and signing method.")                                                                   \
    X(S3_EQUOTA, "QuotaExceeded", 403, "A quota leaves no room for this")                          \
    X(S3_EBUSY, "SlowDown", 503, "Please reduce your request rate.")                               \
    X(S3_EUNEXPECTED, "UnexpectedContent", 400, "This request does not support content")           \
    X(S3_EUNAVAILABLE, "ServiceUnavailable", 503, "Please try again.")                             \
    X(S3_EFULL, "InsufficientStorage", 507,                                                        \
      "The storage behind this endpoint is full. Delete something or add space, then try again.")  \
    X(S3_ECONTENTSHA, "XAmzContentSHA256Mismatch", 400,                                            \
      "The provided 'x-amz-content-sha256' header does not match what was computed.")              \
    X(S3_ENOTMODIFIED, "NotModified", 304, "Not Modified")

#define S3_ERROR_ENUM(symbol, code, status, text) symbol,
enum s3_error { S3_EFIRST = -5000, S3_ERROR_TABLE(S3_ERROR_ENUM) S3_ELAST };
#undef S3_ERROR_ENUM

struct s3_error_entry {
    const char *code;
    unsigned status;
    const char *text;
};

/** s3_error_of(code): the S3 error for a code of ours, of the system, or one of the above: the only place that translates. */
enum s3_error s3_error_of(int code);
/** s3_error_entry(error): its row; an unknown one is InternalError. */
const struct s3_error_entry *s3_error_entry(int error);

#endif
