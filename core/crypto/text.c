/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes as text: hex and base64 (RFC 4648), strict in reading. */
#include "pcloud/digest.h"

#include "pcloud/err.h"

void pc_hex(const void *data, size_t len, char *out)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *p = data;

    for (size_t i = 0; i < len; i++) {
        *out++ = digits[p[i] >> 4];
        *out++ = digits[p[i] & 15];
    }
    *out = 0;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

int pc_unhex(const char *text, size_t len, void *out)
{
    uint8_t *p = out;

    if (len % 2)
        return PC_EFORMAT;
    for (size_t i = 0; i < len; i++) {
        if (hex_value(text[i]) < 0)
            return PC_EFORMAT;
    }
    for (size_t i = 0; i < len; i += 2)
        *p++ = (uint8_t)(hex_value(text[i]) << 4 | hex_value(text[i + 1]));
    return 0;
}

void pc_base64(const void *data, size_t len, char *out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const uint8_t *p = data;

    for (; len > 0; p += 3) {
        size_t n = len < 3 ? len : 3;
        uint32_t group = (uint32_t)p[0] << 16;

        if (n > 1)
            group |= (uint32_t)p[1] << 8;
        if (n > 2)
            group |= p[2];
        *out++ = digits[group >> 18];
        *out++ = digits[group >> 12 & 63];
        *out++ = n > 1 ? digits[group >> 6 & 63] : '=';
        *out++ = n > 2 ? digits[group & 63] : '=';
        len -= n;
    }
    *out = 0;
}

static int base64_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Are these all digits of the alphabet, with the unused bits of the last one zero (RFC 4648, 3.5)? */
static bool is_base64(const char *text, size_t digits)
{
    int last = 0;

    for (size_t i = 0; i < digits; i++) {
        last = base64_value(text[i]);
        if (last < 0)
            return false;
    }
    return digits % 4 == 0 || (digits % 4 == 2 && last % 16 == 0) ||
           (digits % 4 == 3 && last % 4 == 0);
}

int pc_unbase64(const char *text, size_t len, void *out, size_t cap)
{
    size_t digits = len, bytes;
    uint8_t *p = out;
    uint32_t bits = 0;

    if (len % 4)
        return PC_EFORMAT;
    while (digits > 0 && len - digits < 2 && text[digits - 1] == '=')
        digits--;
    if (!is_base64(text, digits))
        return PC_EFORMAT;
    bytes = digits / 4 * 3 + (digits % 4 * 3) / 4;
    if (bytes > cap || bytes > INT32_MAX)
        return PC_ELIMIT;
    for (size_t i = 0; i < digits; i++) {
        bits = bits << 6 | (uint32_t)base64_value(text[i]);
        if (i % 4)
            *p++ = (uint8_t)(bits >> (6 - 2 * (i % 4)));
    }
    return (int)bytes;
}
