/* Writes safetensors as a stream: the header first, then the data piece by piece.
 * SPDX-License-Identifier: MIT */
#include "core/mem.h"
#include "core/path.h"
#include "io/bytes.h"
#include "io/safetensors.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { PREFIX = 8, ALIGN = 8 };

typedef struct slot {
    char *name;
    size_t size, filled;
} slot;

struct tpp_safetensors_writer {
    tpp_out_file file;
    slot *slots;
    size_t n, next; /* next: first slot that is not full */
};

/* {"dtype": ..., "shape": [...], "data_offsets": [begin, end]}; *end starts as begin. */
static json_t *describe(const tpp_safetensors_spec *t, size_t size, size_t *end)
{
    json_t *shape = json_array();
    for (int i = 0; i < t->rank; i++)
        (void)json_array_append_new(shape, json_integer((json_int_t)t->dims[i]));
    const size_t begin = *end;
    *end += size;
    return json_pack("{s:s, s:o, s:[I,I]}", "dtype", tpp_safetensors_dtype_text(t->type), "shape",
                     shape, "data_offsets", (json_int_t)begin, (json_int_t)*end);
}

static tpp_status spec_size(size_t *out, const tpp_safetensors_spec *t)
{
    if (t->rank < 0 || t->rank > TPP_SAFETENSORS_MAX_RANK)
        return TPP_FAIL(TPP_EUSAGE, "%s: %d dimensions, wanted 0 to %d", t->name, t->rank,
                        TPP_SAFETENSORS_MAX_RANK);
    size_t size = tpp_safetensors_dtype_size(t->type);
    bool fits = size > 0;
    for (int i = 0; i < t->rank; i++)
        fits = fits && t->dims[i] >= 0 && tpp_mul_size(size, (size_t)t->dims[i], &size);
    if (!fits || size > PTRDIFF_MAX)
        return TPP_FAIL(TPP_EUSAGE, "%s: no type of the format, or a shape that cannot be",
                        t->name);
    *out = size;
    return TPP_OK;
}

/* Adds one member; names that are no UTF-8, empty or there already are the caller's mistake. */
static tpp_status put(json_t *object, const char *path, const char *name, json_t *value)
{
    if (name == NULL || name[0] == '\0' || json_object_get(object, name) != NULL) {
        json_decref(value);
        return TPP_FAIL(TPP_EUSAGE, "%s: the name \"%s\" is empty or there twice", path,
                        name == NULL ? "" : name);
    }
    if (value == NULL || json_object_set_new(object, name, value) != 0)
        return TPP_FAIL(TPP_EUSAGE, "%s: \"%s\" or its value is not valid UTF-8", path, name);
    return TPP_OK;
}

static tpp_status fill_header(json_t *root, tpp_safetensors_writer *w,
                              const tpp_safetensors_spec *tensors, const tpp_safetensors_pair *meta,
                              size_t n_meta)
{
    const char *path = w->file.path;
    json_t *pairs = json_object();
    tpp_status s = TPP_OK;
    for (size_t i = 0; s == TPP_OK && i < n_meta; i++)
        s = put(pairs, path, meta[i].key, json_string(meta[i].value));
    if (s == TPP_OK && n_meta > 0) s = put(root, path, "__metadata__", json_incref(pairs));
    json_decref(pairs);
    if (s != TPP_OK) return s;
    size_t end = 0;
    for (size_t i = 0; i < w->n; i++) {
        slot *turn = &w->slots[i];
        TPP_TRY(spec_size(&turn->size, &tensors[i]));
        if (turn->size > PTRDIFF_MAX - end)
            return TPP_FAIL(TPP_EUSAGE, "%s: the sizes of its tensors overflow", path);
        if (tensors[i].name != NULL && strcmp(tensors[i].name, "__metadata__") == 0)
            return TPP_FAIL(TPP_EUSAGE, "%s: a tensor may not be called __metadata__", path);
        TPP_TRY(put(root, path, tensors[i].name, describe(&tensors[i], turn->size, &end)));
        turn->name = tpp_strdup(tensors[i].name);
        if (turn->name == NULL) return TPP_ENOMEM;
    }
    return TPP_OK;
}

static tpp_status write_header(tpp_safetensors_writer *w, const json_t *root)
{
    char *text = json_dumps(root, JSON_COMPACT);
    if (text == NULL) return TPP_FAIL(TPP_ENOMEM, "%s: no memory for its header", w->file.path);
    const size_t n = strlen(text), padding = (ALIGN - n % ALIGN) % ALIGN;
    uint8_t prefix[PREFIX];
    tpp_bytes_put(prefix, n + padding, PREFIX, false);
    (void)fwrite(prefix, 1, PREFIX, w->file.stream); /* short writes show at commit */
    (void)fwrite(text, 1, n, w->file.stream);
    (void)fwrite("        ", 1, padding, w->file.stream);
    free(text); /* jansson's */
    return TPP_OK;
}

static void skip_full(tpp_safetensors_writer *w)
{
    while (w->next < w->n && w->slots[w->next].filled == w->slots[w->next].size) w->next++;
}

tpp_status tpp_safetensors_begin(tpp_safetensors_writer **out, const char *path,
                                 const tpp_safetensors_spec *tensors, size_t n,
                                 const tpp_safetensors_pair *meta, size_t n_meta)
{
    tpp_safetensors_writer *w = NULL;
    json_t *root = NULL;
    tpp_status s = TPP_OK;
    TPP_NEW(w, 1);
    TPP_NEW_OR(done, s, w->slots, n);
    w->n = n;
    TPP_TRY_OR(done, s, tpp_out_open(&w->file, path));
    root = json_object();
    TPP_TRY_OR(done, s, fill_header(root, w, tensors, meta, n_meta));
    TPP_TRY_OR(done, s, write_header(w, root));
    skip_full(w);
    *out = w;
    w = NULL;
done:
    json_decref(root);
    tpp_safetensors_discard(w);
    return s;
}

tpp_status tpp_safetensors_append(tpp_safetensors_writer *w, const char *name, const void *bytes,
                                  size_t size)
{
    if (size == 0) return TPP_OK; /* an empty tensor has no turn */
    slot *turn = w->next < w->n ? &w->slots[w->next] : NULL;
    if (turn == NULL || strcmp(turn->name, name) != 0)
        return TPP_FAIL(TPP_EUSAGE, "%s: data of %s came where %s was wanted", w->file.path, name,
                        turn == NULL ? "nothing more" : turn->name);
    if (size > turn->size - turn->filled)
        return TPP_FAIL(TPP_EUSAGE, "%s: %s takes %zu bytes, %zu more came after %zu", w->file.path,
                        name, turn->size, size, turn->filled);
    if (fwrite(bytes, 1, size, w->file.stream) != size)
        return TPP_FAIL(TPP_EIO, "%s: cannot write: %s", w->file.path, strerror(errno));
    turn->filled += size;
    skip_full(w);
    return TPP_OK;
}

tpp_status tpp_safetensors_commit(tpp_safetensors_writer *w)
{
    tpp_status s = TPP_OK;
    if (w->next < w->n)
        s = TPP_FAIL(TPP_EUSAGE, "%s: %s has %zu of %zu bytes", w->file.path,
                     w->slots[w->next].name, w->slots[w->next].filled, w->slots[w->next].size);
    else
        s = tpp_out_commit(&w->file);
    tpp_safetensors_discard(w);
    return s;
}

void tpp_safetensors_discard(tpp_safetensors_writer *w)
{
    if (w == NULL) return;
    tpp_out_discard(&w->file);
    for (size_t i = 0; i < w->n; i++) tpp_free(w->slots[i].name);
    tpp_free(w->slots);
    tpp_free(w);
}
