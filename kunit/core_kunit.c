// SPDX-License-Identifier: GPL-2.0
/* core: rows nobody can forge, words, counters, limits. */

#include "fixtures.h"

#include <linux/string_helpers.h>
#include <net/icmp.h>
#include <net/tcp.h>

#include <netguard/core.h>
#include <netguard/mib.h>

enum {
	CORE_rows,
};

static const struct ng_counter core_counters[] = {
	NG_GAUGE_DESC(rows, "a gauge")
};

/* No rows: what is in a table has a suite of its own. */
static void *core_table_start(struct seq_file *m, loff_t *pos)
{
	return NULL;
}

static void core_table_stop(struct seq_file *m, void *v)
{
}

static const struct seq_operations core_table = {
	.start = core_table_start,
	.stop = core_table_stop,
};

static struct ng_guard core_guard = {
	.name = "core_kunit",
	.counters = core_counters,
	.n_counters = ARRAY_SIZE(core_counters),
	.table_name = "rows",
	.table = &core_table,
};

struct row_case {
	const char *desc;
	/* input */
	const char *value;
	/* output as expected */
	const char *row;
};

static const struct row_case row_cases[] = {
	{ "a plain word stays bare", "eth0.1000", "k=eth0.1000" },
	{ "nothing at all is quoted", "", "k=\"\"" },
	{ "a space asks for quotes", "a b", "k=\"a b\"" },
	{ "so does an equal sign", "a=b", "k=\"a=b\"" },
	{ "a quote is escaped", "a\"b", "k=\"a\\\"b\"" },
	{ "a backslash is escaped", "a\\b", "k=\"a\\\\b\"" },
	{ "a backslash at the end does not eat the quote", "a\\",
	  "k=\"a\\\\\"" },
	{ "a value cannot bring a pair of its own", "x\" fix=\"reboot",
	  "k=\"x\\\" fix=\\\"reboot\"" },
	{ "a line break cannot begin a row", "x\nk=y", "k=\"x\\nk=y\"" },
	{ "nor a carriage return overwrite one", "x\ry", "k=\"x\\ry\"" },
	{ "a terminal gets no escape sequence", "\033[2J", "k=\"\\e[2J\"" },
	{ "control bytes are hex", "\001\177", "k=\"\\x01\\x7f\"" },
	{ "so is what is not ASCII", "\303\251\233", "k=\"\\xc3\\xa9\\x9b\"" },
};

CASES(row);

static void row_test(struct kunit *test)
{
	const struct row_case *param = test->param_value;
	struct seq_buf row;
	char text[80];

	seq_buf_init(&row, text, sizeof(text));
	ng_row_str(&row, "k", param->value);
	KUNIT_EXPECT_STREQ(test, param->row, seq_buf_str(&row));

	/* The same behind another pair. */
	seq_buf_clear(&row);
	ng_row_printf(&row, "netns=%u", 1);
	ng_row_str(&row, "k", param->value);
	KUNIT_EXPECT_EQ(test, 0, strncmp(seq_buf_str(&row), "netns=1 ", 8));
	KUNIT_EXPECT_STREQ(test, param->row, seq_buf_str(&row) + 8);
}

#define VALUE_MAX 48

/* The bytes between the quotes, or NULL if quotes or bytes are out of order. */
static char *row_quoted(char *text)
{
	char *end = text + strlen(text) - 1;
	char *p;

	if (end == text || *text != '"' || *end != '"')
		return NULL;
	*end = '\0';
	for (p = text + 1; p < end; p++) {
		if (!isascii(*p) || !isprint(*p) || *p == '"')
			return NULL;
		if (*p == '\\')
			p++;
	}
	return p == end ? text + 1 : NULL;
}

/* Whatever a value is, a reader gets one pair, and the value back from it. */
static void row_property_test(struct kunit *test)
{
	static const char hostile[] = "\"\\= \t\n\r\033#'`$x0n";
	struct rnd_state random;
	char value[VALUE_MAX];
	char text[5 * VALUE_MAX];
	struct seq_buf row;
	int quoted = 0;
	int round, len, i;
	char *got;

	random_begin(test, &random);
	for (round = 0; round < 5000; round++) {
		len = random_below(&random, VALUE_MAX);
		for (i = 0; i < len; i++)
			value[i] = round & 1 ? 1 + random_below(&random, 255) :
				   hostile[random_below(&random,
							strlen(hostile))];
		value[len] = '\0';

		seq_buf_init(&row, text, sizeof(text));
		ng_row_str(&row, "k", value);
		seq_buf_str(&row);
		KUNIT_ASSERT_FALSE(test, seq_buf_has_overflowed(&row));
		KUNIT_ASSERT_EQ(test, 0, strncmp(text, "k=", 2));
		got = text + 2;
		if (*got == '"') {
			got = row_quoted(got);
			KUNIT_ASSERT_NOT_NULL_MSG(test, got, "%*pE", len,
						  value);
			string_unescape_any_inplace(got);
			quoted++;
		} else {
			KUNIT_ASSERT_NULL(test, strpbrk(got, "\"\\= \t\n\r"));
		}
		KUNIT_ASSERT_STREQ(test, value, got);
	}
	KUNIT_EXPECT_GT(test, quoted, 2500);
}

/* A row is whole or known not to be, and never beyond its buffer. */
static void row_overflow_test(struct kunit *test)
{
	static const char whole[] = "a=\"x \\\"y\" b=7 c=192.0.2.1 d=e";
	const union nf_inet_addr addr = { .ip = htonl(0xc0000201) };
	struct seq_buf row;
	size_t size;
	char *text;

	for (size = 1; size <= sizeof(whole) + 1; size++) {
		/* To the byte, so that KASAN sees one too far. */
		text = kunit_kzalloc(test, size, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, text);
		seq_buf_init(&row, text, size);
		ng_row_str(&row, "a", "x \"y");
		ng_row_printf(&row, "b=%d", 7);
		ng_row_addr(&row, "c", AF_INET, &addr);
		ng_row_str(&row, "d", "e");

		KUNIT_EXPECT_EQ(test, size < sizeof(whole),
				seq_buf_has_overflowed(&row));
		KUNIT_EXPECT_LT(test, strlen(seq_buf_str(&row)), size);
		if (size >= sizeof(whole))
			KUNIT_EXPECT_STREQ(test, whole, text);
		kunit_kfree(test, text);
	}
}

/* A quoted value is cut, so that a row always has room for the next pair. */
static void row_long_test(struct kunit *test)
{
	char *value = kunit_kzalloc(test, 1024, GFP_KERNEL);
	char *text = kunit_kzalloc(test, 1024, GFP_KERNEL);
	struct seq_buf row;

	KUNIT_ASSERT_NOT_NULL(test, value);
	KUNIT_ASSERT_NOT_NULL(test, text);
	memset(value, ' ', 1023);
	seq_buf_init(&row, text, 1024);
	ng_row_str(&row, "k", value);
	ng_row_str(&row, "fix", "none");

	KUNIT_EXPECT_FALSE(test, seq_buf_has_overflowed(&row));
	KUNIT_EXPECT_STREQ(test, "\" fix=none",
			   seq_buf_str(&row) + 3 + 448);
}

static void row_addr_test(struct kunit *test)
{
	const union nf_inet_addr addr = {
		.ip6 = { htonl(0x20010db8), 0, 0, htonl(1) },
	};
	struct seq_buf row;
	char text[80];

	seq_buf_init(&row, text, sizeof(text));
	ng_row_addr(&row, "a", AF_INET, &addr);
	ng_row_addr(&row, "b", AF_INET6, &addr);
	ng_row_addr(&row, "c", AF_UNSPEC, &addr);
	KUNIT_EXPECT_STREQ(test, "a=32.1.13.184 b=2001:db8::1 c=none",
			   seq_buf_str(&row));
}

struct word_case {
	const char *desc;
	/* input */
	const char *name;
	/* output as expected */
	const char *word;
};

static const struct word_case word_cases[] = {
	{ "a plain name stays bare", "eth0.1000", "eth0.1000" },
	{ "so do the other bytes that no shell looks at", "br-a_b+c:d@e%f,",
	  "br-a_b+c:d@e%f," },
	{ "nothing at all is a word, too", "", "''" },
	{ "a command is not run", "a;reboot", "'a;reboot'" },
	{ "nor one inside it", "$(id>&2)", "'$(id>&2)'" },
	{ "nor the old way", "`id`", "'`id`'" },
	{ "a quote does not end it", "'\"", "''\\''\"'" },
	{ "a line break does not", "a\nb", "'a\nb'" },
	{ "nor a space of another kind", "a\xa0z\tc", "'a\xa0z\tc'" },
	{ "a star finds no file", "*", "'*'" },
	{ "a home is none", "~root", "'~root'" },
	{ "an equal sign sets nothing", "a=b", "'a=b'" },
	{ "a backslash is one", "a\\", "'a\\'" },
};

CASES(word);

static void word_test(struct kunit *test)
{
	const struct word_case *param = test->param_value;
	/* To the byte, so that KASAN sees one too far. */
	char *word = kunit_kzalloc(test, NG_WORD_MAX, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, word);
	ng_shell_word(word, param->name);
	KUNIT_EXPECT_STREQ(test, param->word, word);
}

/* The longest name there can be, and it needs all the room there is. */
static void word_long_test(struct kunit *test)
{
	char *word = kunit_kzalloc(test, NG_WORD_MAX, GFP_KERNEL);
	char name[IFNAMSIZ] = "";
	int i;

	KUNIT_ASSERT_NOT_NULL(test, word);
	memset(name, '\'', IFNAMSIZ - 1);
	ng_shell_word(word, name);
	KUNIT_EXPECT_EQ(test, NG_WORD_MAX - 1, strlen(word));
	for (i = 0; i < IFNAMSIZ - 1; i++)
		KUNIT_EXPECT_EQ(test, 0, strncmp(word + 1 + 4 * i, "'\\''", 4));
}

static const char *const choice_words[] = { "detect", "rescue", NULL };
static int choice_changes;

static void choice_changed(void)
{
	choice_changes++;
}

struct choice_case {
	const char *desc;
	/* input */
	int before;
	const char *text;
	/* output as expected */
	int result;
	int after;
	int changes;
};

static const struct choice_case choice_cases[] = {
	{ "a word is taken", 0, "rescue", 0, 1, 1 },
	{ "the line break of echo does no harm", 0, "rescue\n", 0, 1, 1 },
	{ "the way back to the default", 1, "detect", 0, 0, 1 },
	{ "the word that holds changes nothing", 1, "rescue", 0, 1, 0 },
	{ "a part of a word is refused", 1, "detec", -EINVAL, 1, 0 },
	{ "more than a word is refused", 0, "rescued", -EINVAL, 0, 0 },
	{ "two words are refused", 0, "detect,rescue", -EINVAL, 0, 0 },
	{ "a space before it is refused", 0, " rescue", -EINVAL, 0, 0 },
	{ "a space behind it is refused", 0, "rescue ", -EINVAL, 0, 0 },
	{ "a second line is refused", 0, "rescue\n\n", -EINVAL, 0, 0 },
	{ "capitals are refused", 0, "RESCUE", -EINVAL, 0, 0 },
	{ "its number is refused", 0, "1", -EINVAL, 0, 0 },
	{ "nothing is refused", 1, "", -EINVAL, 1, 0 },
	{ "an empty line is refused", 1, "\n", -EINVAL, 1, 0 },
	{ "bytes that are no text are refused", 1, "\377\033[2J%s%n", -EINVAL,
	  1, 0 },
};

CASES(choice);

static void choice_test(struct kunit *test)
{
	const struct choice_case *param = test->param_value;
	struct ng_choice choice = {
		.words = choice_words,
		.value = param->before,
		.changed = choice_changed,
	};
	const struct kernel_param kp = {
		.name = "mode",
		.mod = THIS_MODULE,
		.ops = &ng_choice_ops,
		.arg = &choice,
	};
	char *shown = kunit_kzalloc(test, PAGE_SIZE, GFP_KERNEL);
	int len;

	KUNIT_ASSERT_NOT_NULL(test, shown);
	choice_changes = 0;
	KUNIT_EXPECT_EQ(test, param->result, kp.ops->set(param->text, &kp));
	KUNIT_EXPECT_EQ(test, param->after, choice.value);
	KUNIT_EXPECT_EQ(test, param->changes, choice_changes);

	len = kp.ops->get(shown, &kp);
	KUNIT_EXPECT_EQ(test, strlen(shown), len);
	KUNIT_EXPECT_STREQ(test, param->after ? "rescue\n" : "detect\n",
			   shown);

	/* Nobody has to be told. */
	choice.changed = NULL;
	KUNIT_EXPECT_EQ(test, param->result, kp.ops->set(param->text, &kp));
}

/* A gauge may go up on one CPU and down on another. */
static void count_test(struct kunit *test)
{
	u64 before = ng_count_read(&core_guard, CORE_rows);
	u64 *count;
	int cpu;

	for_each_possible_cpu(cpu) {
		count = per_cpu_ptr(&core_guard.counts[CORE_rows], cpu);
		++*count;
	}
	KUNIT_EXPECT_EQ(test, before + num_possible_cpus(),
			ng_count_read(&core_guard, CORE_rows));
	ng_count(&core_guard, CORE_rows);
	ng_count_add(&core_guard, CORE_rows, -1 - (s64)num_possible_cpus());
	KUNIT_EXPECT_EQ(test, before, ng_count_read(&core_guard, CORE_rows));
}

/* How many findings of a guard get a line now, in that namespace? */
static int log_burst(struct ng_guard *guard, struct net *net)
{
	struct ng_finding *finding;
	int lines;

	for (lines = 0; lines < 100; lines++) {
		finding = ng_finding_begin(guard, net, NG_INFO);
		if (!finding)
			break;
		ng_row_printf(ng_finding_row(finding), "line=%d", lines);
		ng_finding_end(finding, "a test of the limit", "none");
	}
	return lines;
}

static void log_test(struct kunit *test)
{
	struct ng_guard other = core_guard;

	other.name = "core_kunit_other";
	KUNIT_ASSERT_EQ(test, 0, ng_guard_register(&other));

	/* One guard's flood does not silence another one. */
	KUNIT_EXPECT_EQ(test, 10, log_burst(&core_guard, &init_net));
	KUNIT_EXPECT_EQ(test, 0, log_burst(&core_guard, &init_net));
	KUNIT_EXPECT_EQ(test, 10, log_burst(&other, &init_net));

	/* Nor does what it said before it was loaded again, or another was. */
	ng_guard_unregister(&other);
	KUNIT_ASSERT_EQ(test, 0, ng_guard_register(&other));
	KUNIT_EXPECT_EQ(test, 10, log_burst(&other, &init_net));
	ng_guard_unregister(&other);
}

/* Who makes namespaces gets no line more, and takes none from the first one. */
static void log_netns_test(struct kunit *test)
{
	struct ng_guard other = core_guard;
	int lines = 0, first, round;
	struct net *net;

	/* Only its number is looked at. */
	net = kunit_kzalloc(test, sizeof(*net), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, net);
	other.name = "core_kunit_netns";
	KUNIT_ASSERT_EQ(test, 0, ng_guard_register(&other));

	net->ns.inum = 1;
	first = log_burst(&other, net);
	KUNIT_EXPECT_EQ(test, 6, first);
	for (round = 2; round < 1000; round++) {
		net->ns.inum = round;
		lines += log_burst(&other, net);
	}
	KUNIT_EXPECT_EQ(test, 2, lines);
	KUNIT_EXPECT_EQ(test, 10, log_burst(&other, &init_net));
	ng_guard_unregister(&other);
}

/* There are so many guards and no more; one that goes makes room. */
static void guard_test(struct kunit *test)
{
	struct ng_guard *guards;
	char name[NG_MAX_GUARDS + 1][16];
	int n, i;

	guards = kunit_kcalloc(test, NG_MAX_GUARDS + 1, sizeof(*guards),
			       GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, guards);
	for (n = 0; n <= NG_MAX_GUARDS; n++) {
		snprintf(name[n], sizeof(name[n]), "core_kunit_%d", n);
		guards[n] = core_guard;
		guards[n].name = name[n];
		if (ng_guard_register(&guards[n]))
			break;
	}
	KUNIT_EXPECT_GT(test, n, 0);
	KUNIT_EXPECT_LT(test, n, NG_MAX_GUARDS);
	KUNIT_EXPECT_EQ(test, -ENOSPC, ng_guard_register(&guards[n]));

	if (n) {
		ng_guard_unregister(&guards[0]);
		KUNIT_EXPECT_EQ(test, 0, ng_guard_register(&guards[n]));
		KUNIT_EXPECT_EQ(test, guards[0].index, guards[n].index);
		ng_guard_unregister(&guards[n]);
	}
	for (i = 1; i < n; i++)
		ng_guard_unregister(&guards[i]);
}

/*
 * The helpers read what the kernel's own macros write. Types that nobody sends
 * and items that no guard looks at.
 */
static void mib_test(struct kunit *test)
{
	struct net *net = &init_net;
	unsigned long in = ng_mib_icmp(net, 200);
	unsigned long out = ng_mib_icmp(net, NG_MIB_OUT + 200);
	unsigned long ip = ng_mib_ip(net, IPSTATS_MIB_REASMOKS);
	unsigned long tcp = ng_mib_tcp(net, TCP_MIB_RTOALGORITHM);
	unsigned long ext = ng_mib_linux(net, LINUX_MIB_TCPMEMORYPRESSURES);

	ICMPMSGIN_INC_STATS(net, 200);
	ICMPMSGOUT_INC_STATS(net, 200);
	ICMPMSGOUT_INC_STATS(net, 200);
	IP_ADD_STATS(net, IPSTATS_MIB_REASMOKS, 3);
	TCP_ADD_STATS(net, TCP_MIB_RTOALGORITHM, 4);
	NET_ADD_STATS(net, LINUX_MIB_TCPMEMORYPRESSURES, 5);

	KUNIT_EXPECT_EQ(test, in + 1, ng_mib_icmp(net, 200));
	KUNIT_EXPECT_EQ(test, out + 2, ng_mib_icmp(net, NG_MIB_OUT + 200));
	KUNIT_EXPECT_EQ(test, ip + 3, ng_mib_ip(net, IPSTATS_MIB_REASMOKS));
	KUNIT_EXPECT_EQ(test, tcp + 4, ng_mib_tcp(net, TCP_MIB_RTOALGORITHM));
	KUNIT_EXPECT_EQ(test, ext + 5,
			ng_mib_linux(net, LINUX_MIB_TCPMEMORYPRESSURES));
}

/* As every namespace is with ipv6.disable=1. */
static void mib_without_ipv6_test(struct kunit *test)
{
	struct net *net = kunit_kzalloc(test, sizeof(*net), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, net);
	KUNIT_EXPECT_EQ(test, 0UL, ng_mib_icmp6(net, ICMPV6_PKT_TOOBIG));
	KUNIT_EXPECT_EQ(test, 0UL, ng_mib_ip6(net, IPSTATS_MIB_FRAGFAILS));
}

static int core_suite_init(struct kunit_suite *suite)
{
	return ng_guard_register(&core_guard);
}

static void core_suite_exit(struct kunit_suite *suite)
{
	ng_guard_unregister(&core_guard);
}

static struct kunit_case core_kunit_cases[] = {
	KUNIT_CASE_PARAM(row_test, row_gen_params),
	KUNIT_CASE(row_property_test),
	KUNIT_CASE(row_overflow_test),
	KUNIT_CASE(row_long_test),
	KUNIT_CASE(row_addr_test),
	KUNIT_CASE_PARAM(word_test, word_gen_params),
	KUNIT_CASE(word_long_test),
	KUNIT_CASE_PARAM(choice_test, choice_gen_params),
	KUNIT_CASE(count_test),
	KUNIT_CASE(log_test),
	KUNIT_CASE(log_netns_test),
	KUNIT_CASE(guard_test),
	KUNIT_CASE(mib_test),
	KUNIT_CASE(mib_without_ipv6_test),
	{}
};

static struct kunit_suite core_kunit_suite = {
	.name = "netguard_core",
	.suite_init = core_suite_init,
	.suite_exit = core_suite_exit,
	.test_cases = core_kunit_cases,
};

kunit_test_suite(core_kunit_suite);

NG_IMPORT_KUNIT_SYMBOLS();
MODULE_DESCRIPTION("KUnit tests of the core module netguard");
MODULE_LICENSE("GPL");
