/* Dynamic mask head (specification, section 2.12): per query three 1x1 convolutions whose weights
 * theta are themselves a result, on the mask features and the distance to the query's centre.
 *   theta [queries, thetas]: w0 [D][c + 2] (c without coordinates), w1 [D][D], w2 [D], b0 [D],
 *     b1 [D], b2 [1]
 *   features [queries / each, height*width, c]: `each` queries in a row share a map; box
 *   [queries, 4] (cx, cy, w, h); y [queries, height*width]
 *   dx = coord_scale (cx image_width - (4 x + 2)), dy likewise: the mask's stride is 4
 *
 * mask_head_plain: one work-item per element of y, grid (height*width, queries).
 * SPDX-License-Identifier: MIT */
#ifndef LOCAL
#define LOCAL 64 /* work-group size along the pixels */
#endif
#ifndef D
#define D 8 /* channels of the dynamic convolutions */
#endif

static float relu(float x)
{
    return x < 0.0f ? 0.0f : x;
}

__attribute__((reqd_work_group_size(LOCAL, 1, 1))) kernel void mask_head_plain(
    global float *restrict y, global const float *restrict theta,
    global const float *restrict features, global const float *restrict box, int height, int width,
    int image_height, int image_width, int rel_coord, float coord_scale, int queries, int each,
    int c, int thetas)
{
    const int pixel = (int)get_global_id(0), query = (int)get_global_id(1);
    if (pixel >= height * width || query >= queries) return;
    const int inputs = c + (rel_coord ? 2 : 0);
    global const float *w0 = theta + (size_t)query * thetas, *w1 = w0 + (size_t)D * inputs;
    global const float *w2 = w1 + D * D, *b0 = w2 + D, *b1 = b0 + D, *b2 = b1 + D;
    const size_t map = (size_t)(query / each) * height * width;
    global const float *from = features + (map + pixel) * c;
    const float center_x = box[4 * query] * (float)image_width;
    const float center_y = box[4 * query + 1] * (float)image_height;
    const float dx = coord_scale * (center_x - (float)(4 * (pixel % width) + 2));
    const float dy = coord_scale * (center_y - (float)(4 * (pixel / width) + 2));
    float first[D], sum = 0.0f;
    for (int o = 0; o < D; o++) {
        global const float *w = w0 + (size_t)o * inputs;
        float value = 0.0f;
        for (int i = 0; i < c; i++) value += w[i] * from[i];
        if (rel_coord) value += w[c] * dx + w[c + 1] * dy;
        first[o] = relu(value + b0[o]);
    }
    for (int o = 0; o < D; o++) {
        float value = 0.0f;
        for (int i = 0; i < D; i++) value += w1[o * D + i] * first[i];
        sum += w2[o] * relu(value + b1[o]);
    }
    y[(size_t)query * height * width + pixel] = sum + b2[0];
}
