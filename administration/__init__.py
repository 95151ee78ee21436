"""Administration (OAIS): settings, jobs, the command line, the web application. The only package that sees all others."""
