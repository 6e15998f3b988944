# SPDX-License-Identifier: MIT
# What scdoc writes, so that mandoc -T lint has nothing to say: paragraphs that are none are left out,
# lines of text are broken at 79 bytes. What is seen of the page does not change.
function may_break(line, at) {
	return substr(line, at, 1) == " " && substr(line, at - 1, 1) != " " && substr(line, at + 1, 1) !~ /[.' ]/
}

function text(line, at) {
	while (length(line) > 79) {
		for (at = 80; at > 1 && !may_break(line, at); at--) { }
		if (at <= 1) { # a word without an end
			for (at = 81; at < length(line) && !may_break(line, at); at++) { }
		}
		if (at <= 1 || at >= length(line)) {
			break
		}
		print substr(line, 1, at - 1)
		line = substr(line, at + 1)
	}
	print line
}

{ sub(/[ \t]+$/, "") }
/^\.TH / { $2 = toupper($2) }
/^\.(nf|TS)/ { verbatim = 1 }
/^\.(fi|TE)/ { verbatim = 0 }
/^\.P$/ {
	wanted = !bare
	next
}
/^\.RE/ { # the space is for what comes behind it
	print
	next
}
wanted && !/^\.(SH|SS)/ { print /^\.RS/ ? ".sp" : ".P" }
{
	wanted = 0
	bare = /^\.(SH|SS|TH)/
	if (verbatim || /^\./) {
		print
	} else {
		text($0)
	}
}
