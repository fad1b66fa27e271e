// Base64 in bulk for Wire: whole quanta (4 characters = 3 bytes) only; what is left over is Wire's.
// Measured in Swift: SIMD32 masks are scalarised (12 MB/s), a Span table reaches 1,900 MB/s; AVX2
// intrinsics 17,000 and more.
#ifndef ASSETD_CLINUX_BASE64_H
#define ASSETD_CLINUX_BASE64_H
#include <stddef.h>
#include <stdint.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

// What a character means: 0…63 a sextet (both alphabets of RFC 4648 §4 and §5), 0x40 white space,
// 0x41 padding, 0xFF foreign.
static inline uint8_t clinux_base64_class(uint8_t character) {
  static const uint8_t classes[256] = {
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x40, 0x40, 0xff, 0xff, 0x40, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0x40, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x3e, 0xff, 0x3e, 0xff, 0x3f,
    0x34, 0x35, 0x36, 0x37, 0x38, 0x39, 0x3a, 0x3b, 0x3c, 0x3d, 0xff, 0xff, 0xff, 0x41, 0xff, 0xff,
    0xff, 0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e,
    0x0f, 0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x19, 0xff, 0xff, 0xff, 0xff, 0x3f,
    0xff, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e, 0x1f, 0x20, 0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27, 0x28,
    0x29, 0x2a, 0x2b, 0x2c, 0x2d, 0x2e, 0x2f, 0x30, 0x31, 0x32, 0x33, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
  };
  return classes[character];
}

// The character of a sextet in the standard alphabet (RFC 4648 §4).
static inline uint8_t clinux_base64_character(uint8_t sextet) {
  return (uint8_t)"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"[sextet & 63];
}

// The character of a sextet in the URL-safe alphabet (RFC 4648 §5).
static inline uint8_t clinux_base64url_character(uint8_t sextet) {
  return (uint8_t)"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"[sextet & 63];
}

#if defined(__x86_64__)
// How to read the vector code: W. Muła and D. Lemire, "Faster Base64 Encoding and Decoding Using
// AVX2 Instructions", ACM Transactions on the Web 12(3), 2018.

static inline int clinux_has_avx2(void) { return __builtin_cpu_supports("avx2"); }

// 32 characters to sextets; what is foreign is gathered in `errors` (any byte not zero).
__attribute__((target("avx2"))) static inline __m256i clinux_base64_sextets(
    __m256i text, __m256i *errors) {
  const __m256i low_classes = _mm256_broadcastsi128_si256(_mm_setr_epi8(
      0x15, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11,
      0x11, 0x11, 0x13, 0x1A, 0x1B, 0x1B, 0x1B, 0x1A));
  const __m256i high_classes = _mm256_broadcastsi128_si256(_mm_setr_epi8(
      0x10, 0x10, 0x01, 0x02, 0x04, 0x08, 0x04, 0x08,
      0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10));
  const __m256i shifts = _mm256_broadcastsi128_si256(_mm_setr_epi8(
      0, 16, 19, 4, -65, -65, -71, -71, 0, 0, 0, 0, 0, 0, 0, 0));
  const __m256i nibble = _mm256_set1_epi8(0x0F), slash = _mm256_set1_epi8('/');
  // The URL-safe characters become the standard ones first.
  const __m256i minus = _mm256_cmpeq_epi8(text, _mm256_set1_epi8('-'));
  const __m256i underscore = _mm256_cmpeq_epi8(text, _mm256_set1_epi8('_'));
  text = _mm256_xor_si256(text, _mm256_and_si256(minus, _mm256_set1_epi8('-' ^ '+')));
  text = _mm256_xor_si256(text, _mm256_and_si256(underscore, _mm256_set1_epi8('_' ^ '/')));
  const __m256i high = _mm256_and_si256(_mm256_srli_epi32(text, 4), nibble);
  const __m256i low = _mm256_and_si256(text, nibble);
  const __m256i foreign = _mm256_and_si256(
      _mm256_shuffle_epi8(low_classes, low), _mm256_shuffle_epi8(high_classes, high));
  *errors = _mm256_or_si256(*errors, foreign);
  const __m256i is_slash = _mm256_cmpeq_epi8(text, slash);
  return _mm256_add_epi8(text, _mm256_shuffle_epi8(shifts, _mm256_add_epi8(is_slash, high)));
}

// 32 sextets to 24 bytes; 32 are stored, the last 8 of them zero.
__attribute__((target("avx2"))) static inline void clinux_base64_store(
    uint8_t *out, __m256i sextets) {
  const __m256i pairs = _mm256_maddubs_epi16(sextets, _mm256_set1_epi32(0x01400140));
  const __m256i quanta = _mm256_madd_epi16(pairs, _mm256_set1_epi32(0x00011000));
  const __m256i bytes = _mm256_shuffle_epi8(
      quanta, _mm256_setr_epi8(2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, -1, -1, -1, -1,
                               2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, -1, -1, -1, -1));
  const __m256i packed =
      _mm256_permutevar8x32_epi32(bytes, _mm256_setr_epi32(0, 1, 2, 4, 5, 6, 3, 7));
  _mm256_storeu_si256((__m256i *)out, packed);
}

// Returns characters taken: blocks of 128, then of 32, up to the first block with a foreign byte.
__attribute__((target("avx2"))) static inline size_t clinux_base64_decode_avx2(
    const uint8_t *text, size_t length, uint8_t *out, size_t room) {
  size_t taken = 0, made = 0;
  while (length - taken >= 128 && room - made >= 96 + 8) {
    const __m256i *block = (const __m256i *)(text + taken);
    __m256i errors = _mm256_setzero_si256();
    const __m256i a = clinux_base64_sextets(_mm256_loadu_si256(block), &errors);
    const __m256i b = clinux_base64_sextets(_mm256_loadu_si256(block + 1), &errors);
    const __m256i c = clinux_base64_sextets(_mm256_loadu_si256(block + 2), &errors);
    const __m256i d = clinux_base64_sextets(_mm256_loadu_si256(block + 3), &errors);
    if (!_mm256_testz_si256(errors, errors)) break;
    clinux_base64_store(out + made, a);
    clinux_base64_store(out + made + 24, b);
    clinux_base64_store(out + made + 48, c);
    clinux_base64_store(out + made + 72, d);
    taken += 128, made += 96;
  }
  while (length - taken >= 32 && room - made >= 24 + 8) {
    __m256i errors = _mm256_setzero_si256();
    const __m256i a =
        clinux_base64_sextets(_mm256_loadu_si256((const __m256i *)(text + taken)), &errors);
    if (!_mm256_testz_si256(errors, errors)) break;
    clinux_base64_store(out + made, a);
    taken += 32, made += 24;
  }
  return taken;
}

// 24 bytes, 12 at the start of each lane, to 32 characters.
__attribute__((target("avx2"))) static inline __m256i clinux_base64_characters(__m256i bytes) {
  const __m256i spread = _mm256_shuffle_epi8(
      bytes, _mm256_setr_epi8(1, 0, 2, 1, 4, 3, 5, 4, 7, 6, 8, 7, 10, 9, 11, 10,
                              1, 0, 2, 1, 4, 3, 5, 4, 7, 6, 8, 7, 10, 9, 11, 10));
  const __m256i odd = _mm256_mulhi_epu16(
      _mm256_and_si256(spread, _mm256_set1_epi32(0x0FC0FC00)), _mm256_set1_epi32(0x04000040));
  const __m256i even = _mm256_mullo_epi16(
      _mm256_and_si256(spread, _mm256_set1_epi32(0x003F03F0)), _mm256_set1_epi32(0x01000010));
  const __m256i sextets = _mm256_or_si256(odd, even);
  const __m256i shifts = _mm256_setr_epi8(
      65, 71, -4, -4, -4, -4, -4, -4, -4, -4, -4, -4, -19, -16, 0, 0,
      65, 71, -4, -4, -4, -4, -4, -4, -4, -4, -4, -4, -19, -16, 0, 0);
  const __m256i above = _mm256_subs_epu8(sextets, _mm256_set1_epi8(51));
  const __m256i letters = _mm256_cmpgt_epi8(sextets, _mm256_set1_epi8(25));
  return _mm256_add_epi8(sextets, _mm256_shuffle_epi8(shifts, _mm256_sub_epi8(above, letters)));
}

// Returns bytes taken, a multiple of 24.
__attribute__((target("avx2"))) static inline size_t clinux_base64_encode_avx2(
    const uint8_t *bytes, size_t length, uint8_t *out, size_t room) {
  size_t taken = 0, made = 0;
  while (length - taken >= 28 && room - made >= 32) {
    const __m128i lower = _mm_loadu_si128((const __m128i *)(bytes + taken));
    const __m128i upper = _mm_loadu_si128((const __m128i *)(bytes + taken + 12));
    const __m256i both = _mm256_set_m128i(upper, lower);
    _mm256_storeu_si256((__m256i *)(out + made), clinux_base64_characters(both));
    taken += 24, made += 32;
  }
  return taken;
}
#endif

// Decodes whole quanta up to the first character that is no sextet, the end, or a full `out`.
// Returns characters taken, a multiple of 4; three bytes were written for every four. Beyond
// those, up to 8 more bytes of `out` may have been overwritten, never more than `room` in all.
static inline size_t clinux_base64_decode(
    const uint8_t *text, size_t length, uint8_t *out, size_t room) {
  size_t taken = 0;
#if defined(__x86_64__)
  if (clinux_has_avx2()) taken = clinux_base64_decode_avx2(text, length, out, room);
#endif
  size_t made = taken / 4 * 3;
  while (length - taken >= 4 && room - made >= 3) {
    const uint32_t a = clinux_base64_class(text[taken]);
    const uint32_t b = clinux_base64_class(text[taken + 1]);
    const uint32_t c = clinux_base64_class(text[taken + 2]);
    const uint32_t d = clinux_base64_class(text[taken + 3]);
    if ((a | b | c | d) > 63) break;
    const uint32_t quantum = a << 18 | b << 12 | c << 6 | d;
    out[made] = (uint8_t)(quantum >> 16);
    out[made + 1] = (uint8_t)(quantum >> 8);
    out[made + 2] = (uint8_t)quantum;
    taken += 4, made += 3;
  }
  return taken;
}

// Encodes whole quanta. Returns bytes taken, a multiple of 3; four characters were written for
// every three.
static inline size_t clinux_base64_encode(
    const uint8_t *bytes, size_t length, uint8_t *out, size_t room) {
  size_t taken = 0;
#if defined(__x86_64__)
  if (clinux_has_avx2()) taken = clinux_base64_encode_avx2(bytes, length, out, room);
#endif
  size_t made = taken / 3 * 4;
  while (length - taken >= 3 && room - made >= 4) {
    const uint32_t quantum =
        (uint32_t)bytes[taken] << 16 | (uint32_t)bytes[taken + 1] << 8 | bytes[taken + 2];
    out[made] = clinux_base64_character((uint8_t)(quantum >> 18));
    out[made + 1] = clinux_base64_character((uint8_t)(quantum >> 12 & 63));
    out[made + 2] = clinux_base64_character((uint8_t)(quantum >> 6 & 63));
    out[made + 3] = clinux_base64_character((uint8_t)(quantum & 63));
    taken += 3, made += 4;
  }
  return taken;
}
#endif
