/* Meanings of codes, as DICOM's context groups write them.
 * SPDX-License-Identifier: MIT */
#include "text/snomed.h"

#include <stddef.h>
#include <string.h>

static const struct {
    const char *code, *meaning;
} codes[] = {
    {"123037004", "Anatomical Structure"},
    {"49755003", "Morphologically Altered Structure"},
    {"7771000", "Left"},
    {"24028007", "Right"},
    {"39607008", "Lung"},
    {"64033007", "Kidney"},
    {"10200004", "Liver"},
    {"12738006", "Brain"},
    {"76752008", "Breast"},
    {"71854001", "Colon"},
};

const char *tpp_snomed_meaning(const char *code)
{
    for (size_t i = 0; code != NULL && i < sizeof(codes) / sizeof(codes[0]); i++)
        if (strcmp(codes[i].code, code) == 0) return codes[i].meaning;
    return NULL;
}
