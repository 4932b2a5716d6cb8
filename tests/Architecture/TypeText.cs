using System.Reflection;
using System.Runtime.InteropServices;

namespace OpenGradient.Engine.Architecture.Tests;

/// <summary>A type as a C# reader would write it, without its namespace where that is the project's own or the BCL's root.</summary>
internal static class TypeText
{
    private static readonly Dictionary<Type, string> Keywords = new()
    {
        [typeof(void)] = "void", [typeof(bool)] = "bool", [typeof(byte)] = "byte", [typeof(sbyte)] = "sbyte", [typeof(short)] = "short",
        [typeof(ushort)] = "ushort", [typeof(int)] = "int", [typeof(uint)] = "uint", [typeof(long)] = "long", [typeof(ulong)] = "ulong",
        [typeof(float)] = "float", [typeof(double)] = "double", [typeof(char)] = "char", [typeof(string)] = "string", [typeof(object)] = "object",
        [typeof(nint)] = "nint", [typeof(nuint)] = "nuint", [typeof(decimal)] = "decimal",
    };

    public static string Of(ParameterInfo parameter)
    {
        var text = Of(parameter.ParameterType) + Mark(context => context.Create(parameter).WriteState, context => context.Create(parameter).ReadState, parameter.ParameterType);
        if (!parameter.ParameterType.IsByRef) return text;
        return (parameter.IsOut ? "out " : parameter.IsDefined(typeof(InAttribute), false) || parameter.IsIn ? "in " : "ref ") + text;
    }

    public static string Of(PropertyInfo property) => Of(property.PropertyType) + Mark(context => context.Create(property).ReadState, context => context.Create(property).WriteState, property.PropertyType);

    public static string Of(FieldInfo field) => Of(field.FieldType) + Mark(context => context.Create(field).ReadState, context => context.Create(field).WriteState, field.FieldType);

    public static string Of(Type type)
    {
        if (type.IsByRef) return Of(type.GetElementType()!);
        if (type.IsPointer) return Of(type.GetElementType()!) + "*";
        if (type.IsArray) return Of(type.GetElementType()!) + "[" + new string(',', type.GetArrayRank() - 1) + "]";
        if (Keywords.TryGetValue(type, out var keyword)) return keyword;
        if (type.IsGenericParameter) return type.Name;
        if (Nullable.GetUnderlyingType(type) is { } value) return Of(value) + "?";
        var outer = type.IsNested ? Of(type.DeclaringType!) + "." : Namespace(type);
        var name = outer + type.Name.Split('`')[0];
        return type.IsGenericType ? $"{name}<{string.Join(", ", type.GetGenericArguments().Select(Of))}>" : name;
    }

    private static string Namespace(Type type) =>
        type.Namespace is null or "System" || type.Namespace.StartsWith("System.Collections", StringComparison.Ordinal) || type.Namespace.StartsWith("OpenGradient.Engine", StringComparison.Ordinal)
            ? ""
            : type.Namespace + ".";

    private static string Mark(Func<NullabilityInfoContext, NullabilityState> first, Func<NullabilityInfoContext, NullabilityState> second, Type type)
    {
        if (type.IsValueType || type.IsPointer) return "";
        var context = new NullabilityInfoContext();
        return first(context) == NullabilityState.Nullable || second(context) == NullabilityState.Nullable ? "?" : "";
    }
}
