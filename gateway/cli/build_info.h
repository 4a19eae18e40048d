/* SPDX-License-Identifier: Apache-2.0 */
/** -V and -l: what was built, and what this kernel and user make possible. */
#ifndef BUILD_INFO_H
#define BUILD_INFO_H

/** Version, build settings, PHP versions and where their programs are, kernel features. To stdout. */
void build_info_print(void);

/** The parts compiled in, by folder. To stdout. */
void build_info_modules(void);

#endif
