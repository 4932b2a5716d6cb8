namespace OpenGradient.Engine.Host.Protocol;

/// <summary>
/// The properties of one JSON object that were read. A property given twice is refused: of two values each reader takes another,
/// and what is not understood by all is not committed to.
/// </summary>
/// <param name="known">The names that the object may have; at most 32.</param>
/// <param name="noun">What the message calls them.</param>
internal ref struct PropertySet(ReadOnlySpan<string> known, string noun = "property")
{
    private readonly ReadOnlySpan<string> _known = known;
    private uint _seen;

    /// <summary>Marks a property as read.</summary>
    /// <param name="where">The object, as the message names it.</param>
    /// <param name="position">Its place in its array, where it has one.</param>
    /// <exception cref="BadRequestException">The property is not known here, or was read before.</exception>
    public void Add(string name, string where, int? position = null)
    {
        var index = _known.IndexOf(name);
        if (index < 0) throw new BadRequestException($"{Place(where, position)}: unknown {noun} {Quoted.Text(name)}: what is not understood is not committed to");
        if ((_seen & (1u << index)) != 0) throw new BadRequestException($"{Place(where, position)}: '{name}' is given twice");
        _seen |= 1u << index;
    }

    // Only for a message: a good request makes no text for it.
    private static string Place(string where, int? position) => position is { } at ? $"{where} {at}" : where;
}
