"""Administration (OAIS): settings, jobs, command line, web application. The only package that sees all others."""
