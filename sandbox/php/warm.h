/* SPDX-License-Identifier: Apache-2.0 */
/**
 * A process that waits to become a site's zygote loads the extensions that PHP's configuration names, so that the site
 * need not wait for the dynamic linker: with gd and its picture formats that is more than half of a zygote's start.
 */
#ifndef BH_WARM_H
#define BH_WARM_H

/**
 * Load the libraries of the extensions named in @dir/php.ini and @dir/conf.d/ *.ini, in PHP's order and as PHP would load
 * them. None is initialised. What cannot be loaded is left for PHP to complain about. @dir may be NULL. One thread.
 */
void warm_libraries(const char *dir);

#endif
