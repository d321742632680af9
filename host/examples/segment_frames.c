/* Segments a sequence through libtpp: binary PGM or PPM files, or a disc that moves. Writes each
 * frame's mask as a PGM, and a line of what was found.
 *
 *   cc segment_frames.c $(pkg-config --cflags --libs tpp) -o segment_frames
 *   ./segment_frames MODEL OUT "what to look for" [FRAME.ppm ...]
 *
 * SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <tpp.h>

enum { DISC_SIDE = 96, DISC_FRAMES = 8 };

typedef struct sequence {
    char **paths; /* NULL: the disc */
    int count, height, width, channels;
    uint8_t *pixels; /* of one frame */
} sequence;

/* Reads a frame; the first one says how large all are. */
static int read_pnm(sequence *s, const char *path)
{
    FILE *f = fopen(path, "rb");
    char kind = 0;
    int width = 0, height = 0, most = 0, ok = 0;
    if (f != NULL && fscanf(f, "P%c %d %d %d", &kind, &width, &height, &most) == 4 &&
        fgetc(f) != EOF && (kind == '5' || kind == '6') && most == 255 && width > 0 && height > 0 &&
        width <= 16384 && height <= 16384) {
        const int channels = kind == '6' ? 3 : 1;
        const size_t bytes = (size_t)width * (size_t)height * (size_t)channels;
        if (s->pixels == NULL) {
            s->width = width, s->height = height, s->channels = channels;
            s->pixels = malloc(bytes);
        }
        ok = s->pixels != NULL && width == s->width && height == s->height &&
             channels == s->channels && fread(s->pixels, 1, bytes, f) == bytes;
    }
    if (f != NULL) (void)fclose(f);
    if (!ok) (void)fprintf(stderr, "%s: no P5 or P6 of 8 bits, or of another size\n", path);
    return ok;
}

static int draw_disc(sequence *s, int t)
{
    if (s->pixels == NULL) s->pixels = malloc((size_t)DISC_SIDE * DISC_SIDE);
    if (s->pixels == NULL) return 0;
    s->height = s->width = DISC_SIDE, s->channels = 1;
    for (int y = 0; y < DISC_SIDE; y++)
        for (int x = 0; x < DISC_SIDE; x++) {
            const int dx = x - 40 - 2 * t, dy = y - 48;
            s->pixels[y * DISC_SIDE + x] = dx * dx + dy * dy < 400 ? 200 : 40;
        }
    return 1;
}

static int get_frame(sequence *s, int t)
{
    return s->paths != NULL ? read_pnm(s, s->paths[t]) : draw_disc(s, t);
}

static int write_mask(const sequence *s, const char *folder, const tpp_result *r)
{
    char path[4096];
    (void)snprintf(path, sizeof(path), "%s/%04d.pgm", folder, (int)r->frame);
    FILE *f = fopen(path, "wb");
    int ok = f != NULL && fprintf(f, "P5\n%d %d\n255\n", s->width, s->height) > 0;
    for (int i = 0; ok && i < s->width * s->height; i++)
        ok = fputc(r->mask[i] != 0 ? 255 : 0, f) != EOF;
    if (f != NULL && fclose(f) != 0) ok = 0;
    if (!ok) (void)fprintf(stderr, "%s: cannot be written\n", path);
    printf("frame %" PRId64 ": score %.3f, box %.3f %.3f %.3f %.3f\n", r->frame, (double)r->score,
           (double)r->box[0], (double)r->box[1], (double)r->box[2], (double)r->box[3]);
    return ok;
}

/* Keeps as many frames on the device as it takes, so that it never waits for the host. */
static int run(tpp_tracker *tracker, sequence *s, const char *folder)
{
    int pushed = 1; /* the first frame was read for its size */
    size_t bytes = (size_t)s->width * (size_t)s->height * (size_t)s->channels;
    if (tpp_tracker_push(tracker, s->pixels, bytes) != TPP_OK) return 0;
    for (int taken = 0; taken < s->count; taken++) {
        tpp_result r = {.size = sizeof(r)};
        while (pushed < s->count && pushed - taken < tpp_tracker_depth(tracker))
            if (!get_frame(s, pushed++) || tpp_tracker_push(tracker, s->pixels, bytes) != TPP_OK)
                return 0;
        if (pushed == s->count && tpp_tracker_flush(tracker) != TPP_OK) return 0;
        if (tpp_tracker_take(tracker) != TPP_OK || tpp_tracker_result(tracker, 0, &r) != TPP_OK ||
            !write_mask(s, folder, &r))
            return 0;
    }
    return 1;
}

int main(int argc, char **argv)
{
    sequence s = {NULL, DISC_FRAMES, 0, 0, 0, NULL};
    tpp_device *device = NULL;
    tpp_model *model = NULL;
    tpp_tracker *tracker = NULL;
    tpp_tracker_options options = {.size = sizeof(options)};
    if (argc < 4) return fprintf(stderr, "usage: %s MODEL OUT SENTENCE [FRAME ...]\n", argv[0]), 2;
    if (argc > 4) s.paths = argv + 4, s.count = argc - 4;
    int ok = get_frame(&s, 0);
    options.height = s.height, options.width = s.width, options.channels = s.channels;
    const char *const sentence = argv[3];
    ok = ok && tpp_device_open(&device, getenv("TPP_DEVICE")) == TPP_OK &&
         tpp_model_open(&model, argv[1], NULL, 0) == TPP_OK &&
         tpp_tracker_open(&tracker, model, device, &options) == TPP_OK &&
         tpp_tracker_add(tracker, &sentence, 1, NULL) == TPP_OK && run(tracker, &s, argv[2]);
    if (!ok) (void)fprintf(stderr, "failed: %s\n", tpp_error());
    tpp_tracker_close(tracker), tpp_model_close(model), tpp_device_close(device);
    free(s.pixels);
    return ok ? 0 : 1;
}
