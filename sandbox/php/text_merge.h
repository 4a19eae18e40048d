/* SPDX-License-Identifier: Apache-2.0 */
/** Fewer mappings make a cheaper fork. */
#ifndef TEXT_MERGE_H
#define TEXT_MERGE_H

/**
 * Make one mapping of each loaded object's headers, code and constants, which the linker keeps apart as r--, r-x, r--.
 * fork(2) and exit cost mostly by the number of mappings: PHP with Debian's usual extensions has some 720, of which
 * this saves 270. The price is that constants become executable (never writable), as they were before linkers began
 * to separate them. Best effort: an object that cannot be changed stays as it is. Before the filter, which denies it.
 */
void text_merge(void);

#endif
