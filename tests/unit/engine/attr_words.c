// SPDX-License-Identifier: Apache-2.0
#include "engine/attr_words.h"

#include <criterion/criterion.h>

Test(engine_attr_words, every_attribute_root_and_type_has_words)
{
    struct cel_env env = {0};
    attrs_declare(&env);
    for (size_t i = 0; i < env.attr_count; i++) {
        const struct attr_words *words = attr_words((enum attr_id)env.attrs[i].id);
        cr_assert_not_null(words);
        cr_expect(words->is != NULL && words->from != NULL && words->missing != NULL && *words->is != '\0',
                  STR_FMT, STR_ARG(env.attrs[i].path));
        cr_expect_str_not_empty(attr_words_type(env.attrs[i].type));
    }
    for (size_t i = 0; i < env.root_count; i++) {
        cr_expect_not_null(attr_words_root(env.roots[i].name), STR_FMT, STR_ARG(env.roots[i].name));
    }
    for (int type = 0; type < CEL_TYPE_COUNT; type++) {
        cr_expect_not_null(attr_words_type((enum cel_type)type));
    }
    cr_expect_null(attr_words_root(STR("nobody")));
    cr_expect_str_eq(attr_words(ATTR_COUNT)->is, "");
}
