/* SPDX-License-Identifier: Apache-2.0 */
/** Classes put together ahead of time. Of the compiler only; see opcache.h. */
#ifndef BH_OPCACHE_LINK_H
#define BH_OPCACHE_LINK_H

/**
 * Inside a request in which scripts were compiled: link every class whose parent, interfaces and traits are there, so
 * that opcache keeps the result (its inheritance cache). Opcache does so when a script that declares the class runs,
 * which in private memory would be every request anew. No code of the scripts runs: no autoloader is registered.
 */
void opcache_link_classes(void);

#endif
