/* Makes weights/vocab/ from configs/prompts.yaml: make_vocab PROMPTS.yaml FOLDER [SIZE].
 * SPDX-License-Identifier: MIT */
#include "core/mem.h"
#include "core/path.h"
#include "text/bpe_train.h"

#include <stdio.h>
#include <stdlib.h>

enum { DEFAULT_SIZE = 2000 };

static tpp_status write_into(const char *folder, const char *name, const tpp_str *text)
{
    char *path = tpp_path_join(folder, name);
    if (path == NULL) return TPP_ENOMEM;
    const tpp_status s = tpp_file_write(path, text->text, text->length);
    tpp_free(path);
    return s;
}

static tpp_status make(const char *prompts_path, const char *folder, size_t size)
{
    tpp_prompts prompts = {0};
    tpp_str vocab = {0}, merges = {0};
    tpp_status s = tpp_prompts_read(&prompts, prompts_path);
    if (s == TPP_OK) s = tpp_bpe_train_prompts(&vocab, &merges, &prompts, size);
    if (s == TPP_OK) s = tpp_path_make_folder(folder);
    if (s == TPP_OK) s = write_into(folder, "vocab.json", &vocab);
    if (s == TPP_OK) s = write_into(folder, "merges.txt", &merges);
    tpp_str_free(&merges);
    tpp_str_free(&vocab);
    tpp_prompts_free(&prompts);
    return s;
}

int main(int argc, char **argv)
{
    if (argc != 3 && argc != 4) {
        (void)fprintf(stderr, "usage: make_vocab PROMPTS.yaml FOLDER [SIZE]\n");
        return 2;
    }
    const long size = argc == 4 ? strtol(argv[3], NULL, 10) : DEFAULT_SIZE;
    if (make(argv[1], argv[2], size < 0 ? 0 : (size_t)size) == TPP_OK) return 0;
    (void)fprintf(stderr, "make_vocab: %s\n", tpp_error());
    return 1;
}
