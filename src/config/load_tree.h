/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From a parsed YAML document to a configuration. Borrows the document; the configuration is the caller's. */
#ifndef KUNAI_CONFIG_LOAD_TREE_H
#define KUNAI_CONFIG_LOAD_TREE_H

#include <yaml.h>

#include "config/config.h"

/*
 * Sets what the document names and reports every problem in it. The configuration may be set in part when there
 * are errors. Returns 0 or -ENOMEM.
 *
 * libyaml's document interface keeps an alias as a reference to its node, so a document cannot be larger than
 * its text, and nothing here goes deeper than a configuration does.
 */
int load_tree(yaml_document_t *document, struct config *config, struct config_messages *messages);

#endif
