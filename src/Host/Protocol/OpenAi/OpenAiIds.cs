using System.Security.Cryptography;

namespace OpenGradient.Engine.Host.Protocol.OpenAi;

/// <summary>Names of answers and calls. They mean nothing; receipts have ids of their own.</summary>
internal static class OpenAiIds
{
    /// <summary>24 hexadecimal digits.</summary>
    public static string New() => RandomNumberGenerator.GetHexString(24, lowercase: true);
}
