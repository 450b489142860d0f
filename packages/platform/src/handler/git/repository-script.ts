/**
 * Looks at a repository without git, and makes the place git then works from. It runs inside the walls, as `sh -c SCRIPT sh DIRECTORY KIND`.
 *
 * Git looks for configuration, hooks and attributes in the *common directory*, and for HEAD, the index and the state of a merge in the *git directory*; for
 * a linked worktree they differ. Here the common directory is made anew for each call: its refs, objects and logs are links to the repository's own,
 * its configuration is ours, and hooks and attributes are absent.
 *
 * Nothing is a link on the way: what a call names is what it works on. Prints NUL-separated: what was found, then for `ready` the made directory, the git
 * directory, what is under way, and the settings of the repository as data.
 */
export const REPOSITORY_SCRIPT = `
say() { printf '%s\\0' "$@"; exit 0; }
if [ ! -d "$1" ]; then [ ! -e "$1" ] || say file; say missing; fi
real=$(cd -P -- "$1" 2>/dev/null && pwd -P) || say closed
[ "$real" = "$1" ] || say linked
git=$1/.git
if [ -L "$git" ] || { [ -e "$git" ] && [ ! -d "$git" ]; }; then say linked; fi
if [ ! -d "$git" ]; then
  if [ "$2" = any ] && [ -f "$1/HEAD" ] && [ -d "$1/objects" ] && [ -d "$1/refs" ]; then
    git=$1
  else
    above=$1
    while [ "\${above%/*}" != '' ]; do
      above=\${above%/*}
      if [ -d "$above/.git" ]; then say below "$above"; fi
    done
    say none
  fi
fi
for name in HEAD config index logs objects packed-refs refs shallow info info/exclude objects/info objects/pack; do
  if [ -L "$git/$name" ]; then say linked; fi
done
if [ ! -f "$git/HEAD" ] || [ ! -d "$git/objects" ] || [ ! -d "$git/refs" ]; then say none; fi
if [ -e "$git/commondir" ]; then say linked; fi
doing=clean
if [ -e "$git/MERGE_HEAD" ]; then doing=merging
elif [ -e "$git/rebase-merge" ] || [ -e "$git/rebase-apply" ]; then doing=rebasing
elif [ -e "$git/CHERRY_PICK_HEAD" ]; then doing=cherry_picking
elif [ -e "$git/REVERT_HEAD" ]; then doing=reverting
elif [ -e "$git/BISECT_LOG" ]; then doing=bisecting
fi
umask 077
made=$(mktemp -d /tmp/.git-call-XXXXXXXX) && mkdir "$made/common" "$made/common/info" "$made/home" "$made/bin" || say full
if [ ! -e "$git/logs" ]; then mkdir -m 755 "$git/logs" 2>/dev/null; fi
for name in HEAD logs objects packed-refs refs shallow info/exclude; do ln -s "$git/$name" "$made/common/$name" || say full; done
: > "$made/settings"
if [ -f "$git/config" ]; then head -c 262145 "$git/config" > "$made/settings"; fi
if [ "$(wc -c < "$made/settings")" -gt 262144 ]; then rm -rf "$made"; say unreadable; fi
settings=$(git config --file "$made/settings" --no-includes --list >/dev/null 2>&1 && echo good)
if [ "$settings" != good ]; then rm -rf "$made"; say unreadable; fi
printf '%s\\0' ready "$made" "$git" "$doing"
exec git config --file "$made/settings" --no-includes --list -z
`;
