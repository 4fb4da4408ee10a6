/** How commands find the plane that {@code fairlead up} runs on this machine. */
@NullMarked
package io.fairlead.cli.plane;

import org.jspecify.annotations.NullMarked;
