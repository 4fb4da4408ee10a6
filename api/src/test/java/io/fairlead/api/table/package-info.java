@NullMarked
package io.fairlead.api.table;

import org.jspecify.annotations.NullMarked;
