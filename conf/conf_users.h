/* SPDX-License-Identifier: Apache-2.0 */
/** Names of users and groups to ids, each asked once; group lists without reading the group file once per user. Private to conf/. */
#ifndef CONF_USERS_H
#define CONF_USERS_H

#include "conf/conf.h"
#include "conf/conf_util.h"

struct conf_users {
	struct arena *a;
	struct conf_map users;    /* name -> struct user_entry */
	struct conf_map groups;   /* name -> struct group_entry */
	struct conf_map members;  /* user name -> struct member_list: from one walk over the group database */
	int walk;                 /* 0: not decided, 1: members is complete, -1: ask for each user */
	bool passwd_walked;
	unsigned asked;
};

/** Empty; caller storage, strings go to @a (borrowed). */
void conf_users_init(struct conf_users *u, struct arena *a);

/**
 * Fill @ids from @user and @group (names or #number; @group NULL: the user's own group) with supplementary groups.
 * Returns NULL, or why not with *@bad_group telling which of the two is meant; texts are static.
 */
const char *conf_users_resolve(struct conf_users *u, const char *user, const char *group, struct conf_ids *ids, bool *bad_group);

/** Offer every user or group name to @s. */
void conf_users_suggest(struct conf_suggest *s, bool groups);

/** The ids of this process. Returns 0 or GW_ERR_NOMEM. */
int conf_users_self(struct arena *a, struct conf_ids *ids) GW_MUST_USE;

#endif
