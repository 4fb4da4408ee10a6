/** A small HTTP server that says which Pod answered. */
@NullMarked
package io.fairlead.devkit.echo;

import org.jspecify.annotations.NullMarked;
