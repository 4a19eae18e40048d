/* SPDX-License-Identifier: Apache-2.0 */
/** A hash that whoever does not know its seed can neither foresee nor make collide: SipHash-2-4 (Aumasson, Bernstein 2012). Pure. */
#ifndef BASE_SIPHASH_H
#define BASE_SIPHASH_H

#include <stdint.h>

/** The hash of 16 octets under a seed of 16. */
uint64_t siphash_16(const uint8_t seed[16], const uint8_t in[16]);

#endif
