/* Whether a file is DICOM, from its first bytes: built in every program, so that one without DCMTK
 * can say what a file is.
 * SPDX-License-Identifier: MIT */
#include "core/mem.h"
#include "core/path.h"
#include "io/bytes.h"
#include "io/dicom.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { PREAMBLE = 128, HEAD = 132 };

/* An element at `p`, of the kind that files begin with: group 2 or 8, a short value. Returns its
 * size, or 0. */
static size_t first_element(const uint8_t *p, size_t room)
{
    if (room < 8) return 0;
    const uint64_t group = tpp_bytes_get(p, 2, false);
    if ((group != 2 && group != 8) || tpp_bytes_get(p + 2, 2, false) > 0x1000) return 0;
    const bool explicit_vr = isupper(p[4]) && isupper(p[5]);
    const uint64_t length =
        explicit_vr ? tpp_bytes_get(p + 6, 2, false) : tpp_bytes_get(p + 4, 4, false);
    return length <= 128 ? 8 + (size_t)length : 0;
}

/* Files from before 1996, and of some programs since, have no mark: two elements in order. */
static bool begins_with_elements(const uint8_t *head, size_t size)
{
    const size_t first = first_element(head, size);
    if (first == 0 || first + 8 > size || first_element(head + first, size - first) == 0)
        return false;
    const uint8_t *second = head + first;
    const uint64_t a = tpp_bytes_get(head, 2, false) << 16 | tpp_bytes_get(head + 2, 2, false);
    const uint64_t b = tpp_bytes_get(second, 2, false) << 16 | tpp_bytes_get(second + 2, 2, false);
    return b > a;
}

static bool file_is(const char *path)
{
    uint8_t head[2 * HEAD] = {0};
    FILE *f = fopen(path, "rb");
    if (f == NULL) return false;
    const size_t got = fread(head, 1, sizeof head, f);
    (void)fclose(f);
    if (got >= HEAD && memcmp(head + PREAMBLE, "DICM", 4) == 0) return true;
    return begins_with_elements(head, got);
}

bool tpp_dicom_is(const char *path)
{
    if (!tpp_path_is_folder(path)) return tpp_path_exists(path) && file_is(path);
    tpp_names names = {0};
    if (tpp_path_list(&names, path, NULL) != TPP_OK) return false;
    bool found = false;
    for (size_t i = 0; i < names.count && !found; i++) {
        char *file = tpp_path_join(path, names.name[i]);
        found = file != NULL && file_is(file);
        tpp_free(file);
    }
    tpp_names_free(&names);
    return found;
}
