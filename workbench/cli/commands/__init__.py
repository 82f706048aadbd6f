"""Commands as they are typed: arguments, options, help; signatures alone, so that they load quickly."""
