/* SHA-256 over libcrypto's EVP interface.
 * SPDX-License-Identifier: MIT */
#include "io/hash.h"

#include "core/mem.h"
#include "core/path.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

enum { DIGEST = 32, CHUNK = 1 << 18 };

static tpp_status begin(EVP_MD_CTX **out)
{
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    if (c == NULL || EVP_DigestInit_ex(c, EVP_sha256(), NULL) != 1) {
        EVP_MD_CTX_free(c);
        return TPP_FAIL(TPP_EUNSUPPORTED, "libcrypto offers no SHA-256");
    }
    *out = c;
    return TPP_OK;
}

static tpp_status finish(tpp_sha256 *out, EVP_MD_CTX *c)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    if (EVP_DigestFinal_ex(c, digest, &size) != 1 || size != DIGEST)
        return TPP_FAIL(TPP_EINTERNAL, "libcrypto gave no SHA-256 digest");
    for (size_t i = 0; i < DIGEST; i++)
        (void)snprintf(out->hex + 2 * i, 3, "%02x", (unsigned)digest[i]);
    return TPP_OK;
}

tpp_status tpp_sha256_bytes(tpp_sha256 *out, const void *bytes, size_t size)
{
    EVP_MD_CTX *c = NULL;
    TPP_TRY(begin(&c));
    tpp_status s = TPP_OK;
    if (size > 0 && EVP_DigestUpdate(c, bytes, size) != 1)
        s = TPP_FAIL(TPP_EINTERNAL, "libcrypto refused %zu bytes", size);
    if (s == TPP_OK) s = finish(out, c);
    EVP_MD_CTX_free(c);
    return s;
}

static tpp_status update_from(EVP_MD_CTX *c, FILE *f, const char *path)
{
    char *chunk = NULL;
    TPP_NEW(chunk, CHUNK);
    tpp_status s = TPP_OK;
    for (size_t n = CHUNK; s == TPP_OK && n == CHUNK;) {
        n = fread(chunk, 1, CHUNK, f);
        if (EVP_DigestUpdate(c, chunk, n) != 1)
            s = TPP_FAIL(TPP_EINTERNAL, "libcrypto refused %zu bytes", n);
    }
    if (s == TPP_OK && ferror(f) != 0)
        s = TPP_FAIL(TPP_EIO, "%s: cannot read: %s", path, strerror(errno));
    tpp_free(chunk);
    return s;
}

tpp_status tpp_sha256_file(tpp_sha256 *out, const char *path)
{
    FILE *f = NULL;
    uint64_t size = 0;
    TPP_TRY(tpp_file_open(&f, &size, path));
    EVP_MD_CTX *c = NULL;
    tpp_status s = begin(&c);
    if (s == TPP_OK) s = update_from(c, f, path);
    if (s == TPP_OK) s = finish(out, c);
    EVP_MD_CTX_free(c);
    (void)fclose(f);
    return s;
}
