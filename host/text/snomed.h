/* What the SNOMED CT codes of the prompt library are called.
 * SPDX-License-Identifier: MIT */
#ifndef TPP_TEXT_SNOMED_H
#define TPP_TEXT_SNOMED_H

/* "Kidney" for "64033007"; NULL: the code is not known here, or is NULL. */
const char *tpp_snomed_meaning(const char *code);

#endif
