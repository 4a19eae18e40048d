/* SPDX-License-Identifier: Apache-2.0 */
/**
 * At the start of each request PHP puts its own handler in the place of seven signals' actions, two calls each, and in a
 * cell that is rolled back each is put back after it, one call more. Here they stay.
 */
#ifndef KEPT_SIGNALS_H
#define KEPT_SIGNALS_H

/** Let PHP's handlers be in place between requests, too. In a cell, before the point it goes back to. Nothing when PHP has none. */
void kept_signals_start(void);

#endif
