/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * kunai completion: scripts for bash and zsh, made of the tables of commands and options, so that they say what this
 * program understands. The tables go into shell functions, the fixed text of each shell asks these.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "cmd/cmd.h"
#include "event/catalogue.h"

/* What a value, or an operand, is made of. */
enum values { VALUES_NONE, VALUES_FILES, VALUES_DIRECTORIES, VALUES_EVENTS, VALUES_COMMANDS, VALUES_WORDS };

/* Words between bars in small letters are those to choose from; the others are names of what is expected. */
static enum values values_of_argument(const char *argument)
{
	if (islower((unsigned char)argument[0]))
		return VALUES_WORDS;
	if (strcmp(argument, "DIR") == 0)
		return VALUES_DIRECTORIES;
	return strstr(argument, "FILE") || strstr(argument, "PATH") ? VALUES_FILES : VALUES_NONE;
}

static enum values values_of(const struct config_option *option)
{
	return option->type == OPTION_TYPE_EVENTS ? VALUES_EVENTS : values_of_argument(option->argument);
}

#define NO_WORDS ((struct str){0})

static void add_choices(struct buf *out, struct str words)
{
	for (uint32_t i = 0; i < words.len; i++)
		buf_add_char(out, words.p[i] == '|' ? ' ' : words.p[i]);
}

/* Of "check PATH...": the words to choose the first operand from, then what the others are. */
struct operands {
	struct str words, name;
	enum values values;
};

static struct operands parse_operands(const char *text)
{
	struct operands ret = {0};

	if (islower((unsigned char)text[0]))
		ret.words = (struct str){text, (uint32_t)strcspn(text, " ")};
	text += strcspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
	ret.name = (struct str){text, (uint32_t)strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_")};
	if (ret.name.len)
		ret.values = str_eq(ret.name, STR("COMMAND")) ? VALUES_COMMANDS : values_of_argument(text);
	return ret;
}

/* In single quotes, with what zsh reads in the description of an option behind a backslash. */
static void add_described(struct buf *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '\'')
			buf_add_str(out, STR("'\\'"));
		else if (strchr("[]:\\", *text))
			buf_add_char(out, '\\');
		buf_add_char(out, *text);
	}
}

static void add_events(struct buf *out)
{
	for (int type = 0; type < EVENT_COUNT; type++)
		if (event_catalogue[type].configurable)
			buf_printf(out, " %.*s", STR_ARG(event_catalogue[type].name));
}

/* Bash: functions that print words; @files and @directories stand for those that there are. */

static void bash_add_values(struct buf *out, enum values values, struct str words)
{
	static const char *const names[] = {[VALUES_NONE] = "",
					    [VALUES_FILES] = "@files",
					    [VALUES_DIRECTORIES] = "@directories",
					    [VALUES_EVENTS] = "@events",
					    [VALUES_COMMANDS] = "@commands"};

	if (values == VALUES_WORDS)
		add_choices(out, words);
	else
		buf_add_str(out, str_of(names[values]));
}

static void bash_add_options(struct buf *out, const struct config_option *options, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (options[i].name)
			buf_printf(out, " --%s", options[i].name);
}

static void bash_add_option_values(struct buf *out, const char *command, const struct config_option *option)
{
	if (!option->name || !option->argument)
		return;
	buf_printf(out, "    %s--%s", command, option->name);
	if (option->letter)
		buf_printf(out, " | %s-%c", command, option->letter);
	buf_add_str(out, STR(") echo '"));
	bash_add_values(out, values_of(option), str_of(option->argument));
	buf_add_str(out, STR("' ;;\n"));
}

static void bash_add_operands(struct buf *out, struct operands operands)
{
	add_choices(out, operands.words);
	if (operands.words.len)
		buf_add_char(out, ' ');
	if (operands.name.len)
		bash_add_values(out, operands.values, NO_WORDS);
}

static const char bash_tail[] =
	"_kunai() {\n"
	"    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} command='' prefix='' "
	"word words\n"
	"    if [[ $cur == = ]]; then cur=''\n"
	"    elif [[ $prev == = ]]; then prev=${COMP_WORDS[COMP_CWORD - 2]}; fi\n"
	"    for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
	"        [[ \" $(_kunai_commands) \" != *\" $word \"* ]] || { command=$word; break; }\n"
	"    done\n"
	"    if ! words=$(_kunai_values \"${command:-run}$prev\"); then\n"
	"        if [[ $cur == -* ]]; then words=$(_kunai_options \"${command:-run}\")\n"
	"        elif [[ -n $command ]]; then words=$(_kunai_operands \"$command\")\n"
	"        else words=$(_kunai_commands); fi\n"
	"    fi\n"
	"    COMPREPLY=()\n"
	"    case $words in\n"
	"    *@files) mapfile -t COMPREPLY < <(compgen -f -- \"$cur\") ;;\n"
	"    *@directories) mapfile -t COMPREPLY < <(compgen -d -- \"$cur\") ;;\n"
	"    @commands) words=$(_kunai_commands) ;;\n"
	"    @events)\n"
	"        words=$(_kunai_events)\n"
	"        [[ $cur != *,* ]] || prefix=${cur%,*},\n"
	"        compopt -o nospace 2>/dev/null ;;\n"
	"    esac\n"
	"    [[ $words != *@* ]] || { compopt -o filenames 2>/dev/null; words=${words%@*}; }\n"
	"    mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -P \"$prefix\" -W \"$words\" -- "
	"\"${cur#\"$prefix\"}\")\n"
	"}\n"
	"complete -F _kunai kunai\n";

static void bash_add_table(const struct cmd_context *ctx, struct buf *out)
{
	const struct cmd_entry *const *entry;

	buf_add_str(out, STR("_kunai_options() {\n    case $1 in\n"));
	for (entry = ctx->commands; *entry; entry++) {
		buf_printf(out, "    %s) echo '", (*entry)->name);
		bash_add_options(out, (*entry)->options, (*entry)->option_count);
		bash_add_options(out, cmd_globals, CMD_GLOBALS);
		buf_add_str(out, STR("' ;;\n"));
	}
	buf_add_str(out, STR("    esac\n}\n_kunai_values() {\n    case $1 in\n"));
	for (entry = ctx->commands; *entry; entry++)
		for (size_t i = 0; i < (*entry)->option_count; i++)
			bash_add_option_values(out, (*entry)->name, &(*entry)->options[i]);
	buf_add_str(out, STR("    *) return 1 ;;\n    esac\n}\n_kunai_operands() {\n    case $1 in\n"));
	for (entry = ctx->commands; *entry; entry++) {
		if (!(*entry)->operands)
			continue;
		buf_printf(out, "    %s) echo '", (*entry)->name);
		bash_add_operands(out, parse_operands((*entry)->operands));
		buf_add_str(out, STR("' ;;\n"));
	}
	buf_add_str(out, STR("    esac\n}\n"));
}

static void write_bash(const struct cmd_context *ctx, struct buf *out)
{
	buf_add_str(out, STR("# completion of kunai for bash, made by `kunai completion "
			     "bash`\n_kunai_commands() {\n    echo '"));
	for (const struct cmd_entry *const *entry = ctx->commands; *entry; entry++)
		buf_printf(out, "%s%s", entry == ctx->commands ? "" : " ", (*entry)->name);
	buf_add_str(out, STR("'\n}\n_kunai_events() {\n    echo 'all"));
	add_events(out);
	buf_add_str(out, STR("'\n}\n"));
	bash_add_table(ctx, out);
	buf_add_str(out, str_of(bash_tail));
}

/* Zsh: specifications for _arguments, zshcompsys(1). */

static void zsh_add_values(struct buf *out, enum values values, struct str words)
{
	static const char *const names[] = {[VALUES_NONE] = "",
					    [VALUES_FILES] = "_files",
					    [VALUES_DIRECTORIES] = "_files -/",
					    [VALUES_EVENTS] = "_sequence _kunai_events",
					    [VALUES_COMMANDS] = "_kunai_commands"};

	if (values != VALUES_WORDS) {
		buf_add_str(out, str_of(names[values]));
		return;
	}
	buf_add_char(out, '(');
	add_choices(out, words);
	buf_add_char(out, ')');
}

/* '(-c --config)'{-c,--config=}'[help]:FILE:_files' */
static void zsh_add_option(struct buf *out, const struct config_option *option)
{
	const char *equals = option->argument ? "=" : "";

	if (!option->name)
		return;
	buf_add_str(out, STR(" \\\n        '*'"));
	if (option->letter)
		buf_printf(out, "{-%c,--%s%s}'[", option->letter, option->name, equals);
	else
		buf_printf(out, "--%s%s'[", option->name, equals);
	add_described(out, option->help);
	buf_add_char(out, ']');
	if (option->argument) {
		buf_printf(out, ":%s:", option->argument);
		zsh_add_values(out, values_of(option), str_of(option->argument));
	}
	buf_add_char(out, '\'');
}

static void zsh_add_operands(struct buf *out, struct operands operands)
{
	if (operands.words.len) {
		buf_add_str(out, STR(" \\\n        '1:word:("));
		add_choices(out, operands.words);
		buf_add_str(out, STR(")'"));
	}
	if (!operands.name.len)
		return;
	buf_printf(out, " \\\n        '*:%.*s:", STR_ARG(operands.name));
	zsh_add_values(out, operands.values, NO_WORDS);
	buf_add_char(out, '\'');
}

static void zsh_add_options(struct buf *out, const struct cmd_entry *entry)
{
	for (size_t i = 0; i < CMD_GLOBALS; i++)
		zsh_add_option(out, &cmd_globals[i]);
	for (size_t i = 0; i < entry->option_count; i++)
		zsh_add_option(out, &entry->options[i]);
}

static void write_zsh(const struct cmd_context *ctx, struct buf *out)
{
	const struct cmd_entry *const *entry;

	buf_add_str(out, STR("#compdef kunai\n# completion of kunai for zsh, made by `kunai completion zsh`\n"
			     "_kunai_commands() {\n    local -a commands=(\n"));
	for (entry = ctx->commands; *entry; entry++) {
		buf_printf(out, "        '%s:", (*entry)->name);
		add_described(out, (*entry)->summary);
		buf_add_str(out, STR("'\n"));
	}
	buf_add_str(out,
		    STR("    )\n    _describe command commands\n}\n_kunai_events() { compadd \"$@\" - all"));
	add_events(out);
	buf_add_str(out,
		    STR(" }\n_kunai() {\n    local context state state_descr line\n    typeset -A opt_args\n"
			"    _arguments -C -s '1: :_kunai_commands' '*:: :->rest'"));
	zsh_add_options(out, ctx->commands[0]);
	buf_add_str(out, STR("\n    [[ $state == rest ]] || return\n    case $words[1] in\n"));
	for (entry = ctx->commands; *entry; entry++) {
		buf_printf(out, "    %s) _arguments -s", (*entry)->name);
		zsh_add_options(out, *entry);
		if ((*entry)->operands)
			zsh_add_operands(out, parse_operands((*entry)->operands));
		buf_add_str(out, STR(" ;;\n"));
	}
	buf_add_str(out, STR("    esac\n}\n_kunai \"$@\"\n"));
}

static int run_completion(const struct cmd_context *ctx)
{
	static const struct {
		const char *shell;
		void (*write)(const struct cmd_context *ctx, struct buf *out);
	} writers[] = {{"bash", write_bash}, {"zsh", write_zsh}};
	const char *shell = ctx->operand_count ? ctx->operands[0] : "";
	struct buf text = {0};

	for (size_t i = 0; i < sizeof(writers) / sizeof(*writers); i++) {
		if (strcmp(writers[i].shell, shell) != 0)
			continue;
		writers[i].write(ctx, &text);
		int status = text.failed ? cmd_fail("out of memory") : cmd_print(&text);
		buf_fini(&text);
		return status;
	}
	return cmd_fail_usage("there are completions for bash and for zsh: kunai completion bash");
}

const struct cmd_entry cmd_completion_entry = {
	.name = "completion",
	.summary = "Print the completion of the command line for a shell",
	.operands = "bash|zsh",
	.max_operands = 1,
	.run = run_completion,
};
