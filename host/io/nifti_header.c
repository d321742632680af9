/* NIfTI-1 and -2 headers by one table of fields; every check that needs no voxel.
 * Layouts: nifti1.h and nifti2.h of nifti.nimh.nih.gov.
 * SPDX-License-Identifier: MIT */
#include "io/nifti_header.h"

#include "core/mem.h"
#include "io/bytes.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* Where a field lies in each version, and its kind: i integer, f floating; bytes of one item. */
typedef struct place {
    size_t at;
    char kind;
    size_t size;
} place;
static const place places[TPP_NIFTI_FIELD_COUNT][2] = {
    [TPP_NIFTI_DATATYPE] = {{70, 'i', 2}, {12, 'i', 2}},
    [TPP_NIFTI_BITPIX] = {{72, 'i', 2}, {14, 'i', 2}},
    [TPP_NIFTI_DIM] = {{40, 'i', 2}, {16, 'i', 8}},
    [TPP_NIFTI_PIXDIM] = {{76, 'f', 4}, {104, 'f', 8}},
    [TPP_NIFTI_VOX_OFFSET] = {{108, 'f', 4}, {168, 'i', 8}},
    [TPP_NIFTI_SCL_SLOPE] = {{112, 'f', 4}, {176, 'f', 8}},
    [TPP_NIFTI_SCL_INTER] = {{116, 'f', 4}, {184, 'f', 8}},
    [TPP_NIFTI_CAL_MAX] = {{124, 'f', 4}, {192, 'f', 8}},
    [TPP_NIFTI_CAL_MIN] = {{128, 'f', 4}, {200, 'f', 8}},
    [TPP_NIFTI_XYZT_UNITS] = {{123, 'i', 1}, {500, 'i', 4}},
    [TPP_NIFTI_QFORM_CODE] = {{252, 'i', 2}, {344, 'i', 4}},
    [TPP_NIFTI_SFORM_CODE] = {{254, 'i', 2}, {348, 'i', 4}},
    [TPP_NIFTI_QUATERN] = {{256, 'f', 4}, {352, 'f', 8}},
    [TPP_NIFTI_QOFFSET] = {{268, 'f', 4}, {376, 'f', 8}},
    [TPP_NIFTI_SROW] = {{280, 'f', 4}, {400, 'f', 8}},
};
enum { MAGIC1_AT = 344, MAGIC1_SIZE = 4, MAGIC2_AT = 4, MAGIC2_SIZE = 8 };
static const char single1[] = "n+1", pair1[] = "ni1";
static const char single2[] = "n+2\0\r\n\032\n", pair2[] = "ni2\0\r\n\032\n";

static const place *place_of(const tpp_nifti_header *h, tpp_nifti_field f)
{
    return &places[f][h->version - 1];
}

int64_t tpp_nifti_get_int(const tpp_nifti_header *h, const uint8_t *bytes, tpp_nifti_field f, int i)
{
    const place *p = place_of(h, f);
    const uint64_t bits = tpp_bytes_get(bytes + p->at + (size_t)i * p->size, p->size, h->big);
    switch (p->size) {
    case 1:
        return (int64_t)bits;
    case 2:
        return (int16_t)bits;
    case 4:
        return (int32_t)bits;
    default:
        return (int64_t)bits;
    }
}

double tpp_nifti_get_real(const tpp_nifti_header *h, const uint8_t *bytes, tpp_nifti_field f, int i)
{
    const place *p = place_of(h, f);
    if (p->kind == 'i') return (double)tpp_nifti_get_int(h, bytes, f, i);
    const uint64_t bits = tpp_bytes_get(bytes + p->at + (size_t)i * p->size, p->size, h->big);
    return p->size == 4 ? (double)tpp_bits_float((uint32_t)bits) : tpp_bits_double(bits);
}

static void put_real(const tpp_nifti_header *h, uint8_t *bytes, tpp_nifti_field f, int i, double v)
{
    const place *p = place_of(h, f);
    uint64_t bits = (uint64_t)(int64_t)v;
    if (p->kind == 'f' && p->size == 4) {
        const float narrow = (float)v;
        uint32_t bits32;
        memcpy(&bits32, &narrow, sizeof bits32);
        bits = bits32;
    } else if (p->kind == 'f') {
        memcpy(&bits, &v, sizeof bits);
    }
    tpp_bytes_put(bytes + p->at + (size_t)i * p->size, bits, p->size, h->big);
}

enum { CODE_UINT8 = 2, CODE_FLOAT32 = 16 };
static const tpp_nifti_datatype datatypes[] = {
    {1, "1-bit", NULL, 0},
    {CODE_UINT8, "uint8", "uint8", 1},
    {4, "int16", "int16", 1},
    {8, "int32", "int32", 1},
    {CODE_FLOAT32, "float32", "float32", 1},
    {32, "complex64", NULL, 0},
    {64, "float64", "float64", 1},
    {128, "RGB24", "uint8", 3},
    {256, "int8", "int8", 1},
    {512, "uint16", "uint16", 1},
    {768, "uint32", "uint32", 1},
    {1024, "int64", "int64", 1},
    {1280, "uint64", "uint64", 1},
    {1536, "float128", NULL, 0},
    {1792, "complex128", NULL, 0},
    {2048, "complex256", NULL, 0},
    {2304, "RGBA32", "uint8", 4},
};

const tpp_nifti_datatype *tpp_nifti_datatype_find(int64_t code)
{
    for (size_t i = 0; i < sizeof datatypes / sizeof *datatypes; i++)
        if (datatypes[i].code == code) return &datatypes[i];
    return NULL;
}

size_t tpp_nifti_header_size(const uint8_t *bytes)
{
    const uint8_t *magic1 = bytes + MAGIC1_AT, *magic2 = bytes + MAGIC2_AT;
    if (memcmp(magic2, single2, MAGIC1_SIZE) == 0 || memcmp(magic2, pair2, MAGIC1_SIZE) == 0)
        return TPP_NIFTI2_SIZE;
    if (memcmp(magic1, single1, MAGIC1_SIZE) == 0 || memcmp(magic1, pair1, MAGIC1_SIZE) == 0)
        return TPP_NIFTI1_SIZE;
    return 0;
}

/* Sets version, pair and big. */
static tpp_status read_kind(tpp_nifti_header *h, const uint8_t *bytes, const char *path)
{
    const size_t size = tpp_nifti_header_size(bytes);
    if (size == 0)
        return TPP_FAIL(TPP_EFORMAT,
                        "%s: no NIfTI file: neither \"n+1\", \"ni1\", \"n+2\" nor "
                        "\"ni2\" is at its place (ANALYZE 7.5 is not read)",
                        path);
    h->version = size == TPP_NIFTI1_SIZE ? 1 : 2;
    h->pair = h->version == 1 ? memcmp(bytes + MAGIC1_AT, pair1, MAGIC1_SIZE) == 0
                              : memcmp(bytes + MAGIC2_AT, pair2, MAGIC1_SIZE) == 0;
    if (h->version == 2 && memcmp(bytes + MAGIC2_AT + 4, single2 + 4, MAGIC2_SIZE - 4) != 0)
        return TPP_FAIL(TPP_EFORMAT,
                        "%s: the NIfTI-2 signature is damaged: was the file "
                        "transferred as text?",
                        path);
    h->big = tpp_bytes_get(bytes, 4, true) == size;
    if (!h->big && tpp_bytes_get(bytes, 4, false) != size)
        return TPP_FAIL(TPP_EFORMAT, "%s: sizeof_hdr is %" PRIu64 ", wanted %zu", path,
                        tpp_bytes_get(bytes, 4, false), size);
    return TPP_OK;
}

static tpp_status read_dims(tpp_nifti_header *h, const uint8_t *bytes, const char *path)
{
    const int64_t most = h->version == 1 ? INT16_MAX : INT32_MAX;
    const int64_t rank = tpp_nifti_get_int(h, bytes, TPP_NIFTI_DIM, 0);
    if (rank < 1 || rank > 7)
        return TPP_FAIL(TPP_EFORMAT, "%s: dim[0] is %" PRId64 ", wanted 1 to 7", path, rank);
    h->rank = (int)rank;
    for (int i = 0; i < 7; i++) {
        h->dim[i] = i < rank ? tpp_nifti_get_int(h, bytes, TPP_NIFTI_DIM, i + 1) : 1;
        if (h->dim[i] < 1 || h->dim[i] > most)
            return TPP_FAIL(TPP_EFORMAT, "%s: dim[%d] is %" PRId64 ", wanted 1 to %" PRId64, path,
                            i + 1, h->dim[i], most);
    }
    return TPP_OK;
}

static tpp_status read_datatype(tpp_nifti_header *h, const uint8_t *bytes, const char *path)
{
    const int64_t code = tpp_nifti_get_int(h, bytes, TPP_NIFTI_DATATYPE, 0);
    const int64_t bits = tpp_nifti_get_int(h, bytes, TPP_NIFTI_BITPIX, 0);
    h->datatype = tpp_nifti_datatype_find(code);
    if (h->datatype == NULL)
        return TPP_FAIL(TPP_EFORMAT, "%s: datatype %" PRId64 " is none of NIfTI's", path, code);
    if (h->datatype->element == NULL)
        return TPP_FAIL(TPP_EUNSUPPORTED,
                        "%s: voxels of type %s are not read, only integers, real numbers and "
                        "colours of 8 bits",
                        path, h->datatype->name);
    h->type = tpp_voxel_type_find(h->datatype->element);
    const int64_t wanted = 8 * (int64_t)(h->type->size * h->datatype->elements);
    if (bits != wanted)
        return TPP_FAIL(TPP_EFORMAT, "%s: datatype %s has %" PRId64 " bits, bitpix says %" PRId64,
                        path, h->datatype->name, wanted, bits);
    return TPP_OK;
}

static tpp_status read_offset(tpp_nifti_header *h, const uint8_t *bytes, const char *path)
{
    const double most = 256 << 20; /* DICOM headers in extensions take a few MiB */
    const size_t least = h->pair ? 0 : h->version == 1 ? TPP_NIFTI1_SIZE : TPP_NIFTI2_SIZE;
    const double offset = tpp_nifti_get_real(h, bytes, TPP_NIFTI_VOX_OFFSET, 0);
    /* Written so that NaN fails. */
    if (!(offset >= (double)least && offset <= most) || offset != floor(offset))
        return TPP_FAIL(TPP_EFORMAT, "%s: vox_offset is %g, wanted a whole number from %zu to %.0f",
                        path, offset, least, most);
    h->offset = (uint64_t)offset;
    return TPP_OK;
}

/* A slope of 0, or one that is no number, means that voxels are stored as they are. */
static tpp_status read_scaling(tpp_nifti_header *h, const uint8_t *bytes, const char *path)
{
    h->slope = tpp_nifti_get_real(h, bytes, TPP_NIFTI_SCL_SLOPE, 0);
    h->intercept = tpp_nifti_get_real(h, bytes, TPP_NIFTI_SCL_INTER, 0);
    if (!isfinite(h->slope) || h->slope == 0) {
        h->slope = 1;
        h->intercept = 0;
    }
    if (!isfinite(h->intercept))
        return TPP_FAIL(TPP_EFORMAT, "%s: scl_inter is %g beside a scl_slope of %g", path,
                        h->intercept, h->slope);
    return TPP_OK;
}

tpp_status tpp_nifti_header_parse(tpp_nifti_header *out, const uint8_t *bytes, const char *path)
{
    tpp_nifti_header h = {0};
    TPP_TRY(read_kind(&h, bytes, path));
    TPP_TRY(read_dims(&h, bytes, path));
    TPP_TRY(read_datatype(&h, bytes, path));
    TPP_TRY(read_offset(&h, bytes, path));
    TPP_TRY(read_scaling(&h, bytes, path));
    *out = h;
    return TPP_OK;
}

/* Does the header hold a clip: one slice, several moments? */
bool tpp_nifti_is_clip(const tpp_nifti_header *h)
{
    return h->dim[2] == 1 && h->dim[3] > 1;
}

/* The fields in which a single-file volume of results differs from the volume it belongs to. */
static void patch(const tpp_nifti_header *h, uint8_t *bytes, size_t size, bool values)
{
    if (h->version == 1)
        memcpy(bytes + MAGIC1_AT, single1, MAGIC1_SIZE);
    else
        memcpy(bytes + MAGIC2_AT, single2, MAGIC2_SIZE);
    put_real(h, bytes, TPP_NIFTI_DATATYPE, 0, values ? CODE_FLOAT32 : CODE_UINT8);
    put_real(h, bytes, TPP_NIFTI_BITPIX, 0, values ? 32 : 8);
    put_real(h, bytes, TPP_NIFTI_VOX_OFFSET, 0, (double)size);
    put_real(h, bytes, TPP_NIFTI_SCL_SLOPE, 0, 1);
    put_real(h, bytes, TPP_NIFTI_SCL_INTER, 0, 0);
    put_real(h, bytes, TPP_NIFTI_CAL_MAX, 0, 0);
    put_real(h, bytes, TPP_NIFTI_CAL_MIN, 0, 0);
    if (h->rank > 3 && !tpp_nifti_is_clip(h)) {
        put_real(h, bytes, TPP_NIFTI_DIM, 0, 3);
        for (int i = 4; i <= 7; i++) put_real(h, bytes, TPP_NIFTI_DIM, i, 1);
    }
}

/* A NIfTI-1 header for a volume that has none of NIfTI's. */
static void compose(uint8_t *bytes, const tpp_volume *v, bool values)
{
    enum { MILLIMETRES = 2, SCANNER = 1 };
    const tpp_nifti_header h = {.version = 1};
    tpp_bytes_put(bytes, TPP_NIFTI1_SIZE, 4, false);
    memcpy(bytes + MAGIC1_AT, single1, MAGIC1_SIZE);
    put_real(&h, bytes, TPP_NIFTI_DIM, 0, 3);
    for (int i = 0; i < 7; i++)
        put_real(&h, bytes, TPP_NIFTI_DIM, i + 1, i < 3 ? (double)v->dim[i] : 1);
    put_real(&h, bytes, TPP_NIFTI_PIXDIM, 0, 1);
    for (int i = 0; i < 3; i++) put_real(&h, bytes, TPP_NIFTI_PIXDIM, i + 1, v->spacing_mm[i]);
    put_real(&h, bytes, TPP_NIFTI_XYZT_UNITS, 0, MILLIMETRES);
    put_real(&h, bytes, TPP_NIFTI_SFORM_CODE, 0, SCANNER);
    for (int i = 0; i < 12; i++) put_real(&h, bytes, TPP_NIFTI_SROW, i, v->affine.m[i / 4][i % 4]);
    patch(&h, bytes, TPP_NIFTI1_SIZE + TPP_NIFTI_FLAG_SIZE, values);
}

static tpp_status compose_header(uint8_t **out, size_t *size, const tpp_volume *v, bool values)
{
    for (int i = 0; i < 3; i++)
        if (v->dim[i] < 1 || v->dim[i] > INT16_MAX)
            return TPP_FAIL(TPP_EUSAGE, "NIfTI-1 cannot hold an axis of %" PRId64 " voxels",
                            v->dim[i]);
    const size_t n = TPP_NIFTI1_SIZE + TPP_NIFTI_FLAG_SIZE;
    uint8_t *bytes = NULL;
    TPP_NEW(bytes, n);
    compose(bytes, v, values);
    *out = bytes;
    *size = n;
    return TPP_OK;
}

tpp_status tpp_nifti_result_header(uint8_t **out, size_t *size, bool *big, const tpp_volume *like,
                                   bool values)
{
    enum { ALIGN = 16 }; /* of voxels, which the format asks for */
    *big = false;
    if (like->header == NULL || like->format != TPP_VOLUME_NIFTI)
        return compose_header(out, size, like, values);
    tpp_nifti_header h = {0};
    TPP_TRY(tpp_nifti_header_parse(&h, like->header, "header kept of the input"));
    const size_t bare = h.version == 1 ? TPP_NIFTI1_SIZE : TPP_NIFTI2_SIZE;
    size_t n = like->header_size;
    if (n < bare + TPP_NIFTI_FLAG_SIZE) n = bare + TPP_NIFTI_FLAG_SIZE;
    if (h.pair) n = (n + ALIGN - 1) / ALIGN * ALIGN;
    uint8_t *bytes = NULL;
    TPP_NEW(bytes, n);
    memcpy(bytes, like->header, like->header_size);
    patch(&h, bytes, n, values);
    *big = h.big;
    *out = bytes;
    *size = n;
    return TPP_OK;
}
