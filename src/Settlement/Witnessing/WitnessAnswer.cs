using System.Text;

namespace OpenGradient.Engine.Settlement.Witnessing;

/// <summary>What a witness answers, as HTTP carries it.</summary>
/// <param name="Status">200, 400, 403, 404, 409, 422 as C2SP has them; 503 when the state could not be stored.</param>
public sealed record WitnessAnswer(int Status, string ContentType, ReadOnlyMemory<byte> Body)
{
    private const string Plain = "text/plain; charset=utf-8";

    /// <summary>Signature lines.</summary>
    public static WitnessAnswer Cosigned(byte[] lines) => new(200, Plain, lines);

    /// <summary>409: the caller's old size is not the one that this witness knows.</summary>
    public static WitnessAnswer Known(ulong size) => new(409, "text/x.tlog.size", Encoding.ASCII.GetBytes($"{size}\n"));

    public static WitnessAnswer Refused(int status, string why) => new(status, Plain, Encoding.UTF8.GetBytes(why + "\n"));

    public override string ToString() => $"{Status} {Encoding.UTF8.GetString(Body.Span).TrimEnd('\n')}";
}
