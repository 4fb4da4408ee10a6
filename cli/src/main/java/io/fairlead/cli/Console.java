package io.fairlead.cli;

import java.io.InputStream;
import java.io.PrintStream;

/**
 * Where a command reads and writes. Data goes to {@code out}, everything said about it to {@code
 * err}.
 */
public record Console(InputStream in, PrintStream out, PrintStream err) {}
