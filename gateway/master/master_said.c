/* SPDX-License-Identifier: Apache-2.0 */
/* What is wrong with the configuration's files, said once: a server that is reloaded each night is not to repeat itself. */
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/master/master_priv.h"

enum { LAST, NOW };

static bool was_said(const struct conf_diags *said, const struct conf_diag *d)
{
	for (size_t i = 0; i < said->n; i++)
		if (!said->v[i].error && strcmp(said->v[i].text, d->text) == 0 && strcmp(said->v[i].file, d->file) == 0)
			return true;
	return false;
}

static void remember(struct conf_diags *to, const struct conf_diags *from, bool state_only)
{
	for (size_t i = 0; i < from->n; i++) {
		size_t n = to->n;
		if (state_only && !from->v[i].state)
			continue;
		conf_diag_add(to, from->v[i].error, from->v[i].file, from->v[i].line, from->v[i].column, "%s", from->v[i].text);
		if (to->n > n)
			to->v[n].state = from->v[i].state;
	}
}

void master_say_diags(struct master *m, const struct conf_diags *d)
{
	for (size_t i = 0; i < d->n; i++) {
		const struct conf_diag *e = &d->v[i];
		/* What is served instead belongs to the errors, which are said again, too. */
		if (!e->error && !e->state && was_said(&m->said[LAST], e))
			continue;
		control_say(&m->control, CONTROL_GRACEFUL, "%s:%u:%u: %s: %s\n", e->file, e->line, e->column, e->error ? "error" : "warning", e->text);
		log_line(log_server(), e->error ? LOG_LV_ERROR : LOG_LV_WARN, NULL, "%s:%u:%u: %s", e->file, e->line, e->column, e->text);
	}
	remember(&m->said[NOW], d, false);
}

void master_heard(struct master *m, const struct conf_diags *d)
{
	conf_diags_init(&m->said[LAST]);
	conf_diags_init(&m->said[NOW]);
	conf_diags_init(&m->state);
	if (d != NULL)
		remember(&m->said[NOW], d, false);
}

void master_said(struct master *m, bool serves)
{
	if (serves) {
		conf_diags_fini(&m->state);
		conf_diags_init(&m->state);
		remember(&m->state, &m->said[NOW], true);
	}
	conf_diags_fini(&m->said[LAST]);
	m->said[LAST] = m->said[NOW];
	conf_diags_init(&m->said[NOW]);
}

void master_say_sites(struct master *m)
{
	control_begin(&m->control, CONTROL_SITES);
	for (size_t i = 0; i < m->state.n; i++)
		control_say(&m->control, CONTROL_SITES, "running: %s: %s\n", m->state.v[i].file, m->state.v[i].text);
	if (m->state.n == 0)
		control_say(&m->control, CONTROL_SITES, "running: every file is in service as it was last read; none is held at an older version\n");
	control_done(&m->control, CONTROL_SITES, true);
}

void master_forget(struct master *m)
{
	conf_diags_fini(&m->said[LAST]);
	conf_diags_fini(&m->said[NOW]);
	conf_diags_fini(&m->state);
}
