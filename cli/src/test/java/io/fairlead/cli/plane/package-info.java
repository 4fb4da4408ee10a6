@NullMarked
package io.fairlead.cli.plane;

import org.jspecify.annotations.NullMarked;
