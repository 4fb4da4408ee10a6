@NullMarked
package io.fairlead.standalone.client;

import org.jspecify.annotations.NullMarked;
