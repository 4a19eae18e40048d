/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/php/kept_signals.h"

#include <signal.h>
#include <stddef.h>

#include <main/php.h>
#include <Zend/zend_signal.h>

/* Outside of requests PHP's handler does what the signal would have done, as far as the filter lets it. */
void kept_signals_start(void)
{
#ifdef ZEND_SIGNALS
	static const int deferred[] = {SIGPROF, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};

	for (size_t i = 0; i < sizeof(deferred) / sizeof(deferred[0]); i++)
		zend_signal(deferred[i], SIG_DFL);
	SIGG(reset) = 0;
#endif
}
