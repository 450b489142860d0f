/** Retitles the terminal, hides a line, asks for an answer that is then typed, breaks the line. */
export const POISON = '\u001b]0;owned\u0007\u001b[2K\u001b[6n\nroot@host# ';
