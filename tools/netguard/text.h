/* SPDX-License-Identifier: GPL-2.0 */
/* Text for people: colours and lines that fit, on a terminal. */
#ifndef NETGUARD_TEXT_H
#define NETGUARD_TEXT_H

#include <stdbool.h>

enum colour { PLAIN, BOLD, DIM, RED, GREEN, YELLOW, CYAN };

void text_start(void);
/* Escape sequence, empty when piped. */
const char *colour(enum colour colour);
/* A label and a text, which continues below itself on a terminal. */
void text_labelled(const char *label, enum colour label_colour, const char *text);
/* How to use a command, for who asked or else as a complaint. Returns its exit status. */
int usage_print(const char *usage, bool asked);
bool is_help(const char *word);

#endif
