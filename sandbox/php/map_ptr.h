/* SPDX-License-Identifier: Apache-2.0 */
/**
 * PHP's table of pointers that belong to one request (static members, run-time caches). PHP begins each request by writing
 * zeros over all of it: 8 pages with Debian's extensions, many more with an application's classes. A cell whose table is all
 * zeros as it is leaves the pages alone, so that none becomes its own and has to be put back.
 */
#ifndef MAP_PTR_H
#define MAP_PTR_H

/** In the zygote, before its image is taken: the table is as every request begins with it. */
void map_ptr_clear(void);

/** Right before php_request_startup(). Hides the table from PHP if no request has used it since map_ptr_clear(). */
void map_ptr_hide(void);

/** From PHP's first call into the server for a request; and again before php_request_shutdown(), if there was none. */
void map_ptr_show(void);

#endif
